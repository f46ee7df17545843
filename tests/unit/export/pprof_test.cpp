#include <array>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "proto/pprof_profile.pb.h"
#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string gunzipped(const std::string& data) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);  // gzip only
  std::string in = data;
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

/// A file taken apart.
struct PprofRead {
  explicit PprofRead(const Profile& profile, Weight weight = Weight::wall) {
    EXPECT_TRUE(file.ParseFromString(gunzipped(written(pprof_exporter(), profile, weight))));
  }

  [[nodiscard]] std::string text(std::int64_t index) const {
    return file.string_table(static_cast<int>(index));
  }
  /// "inner:31<work:21<main:5", the top frame first.
  [[nodiscard]] std::string path(const pprof::Sample& sample) const {
    std::string result;
    for (const std::uint64_t id : sample.location_id()) {
      const pprof::Line& line = file.location(static_cast<int>(id) - 1).line(0);
      const pprof::Function& function = file.function(static_cast<int>(line.function_id()) - 1);
      EXPECT_EQ(function.id(), line.function_id());
      result +=
          (result.empty() ? "" : "<") + text(function.name()) + ":" + std::to_string(line.line());
    }
    return result;
  }
  /// Time by path under one weight, for one thread.
  [[nodiscard]] std::map<std::string, std::int64_t> times(Tid tid, Weight weight) const {
    std::map<std::string, std::int64_t> result;
    for (const pprof::Sample& sample : file.sample()) {
      EXPECT_EQ(text(sample.label(1).key()), "tid");
      if (sample.label(1).num() != tid.value) continue;
      result[path(sample)] += sample.value(static_cast<int>(weight));
    }
    return result;
  }

  pprof::Profile file;
};

TEST(Pprof, FiveWeightsInNanoseconds) {
  const PprofRead read(SampleProfile().profile, Weight::blame);
  std::vector<std::string> types;
  for (const pprof::ValueType& type : read.file.sample_type()) {
    types.push_back(read.text(type.type()));
    EXPECT_EQ(read.text(type.unit()), "nanoseconds");
  }
  EXPECT_THAT(types, ElementsAre("hold", "wait", "blame", "cpu", "wall"));
  EXPECT_EQ(read.text(read.file.default_sample_type()), "blame");
  EXPECT_EQ(read.text(0), "");
}

TEST(Pprof, StacksOfAThreadWithTheTopFrameFirst) {
  const PprofRead read(SampleProfile().profile);
  EXPECT_THAT(read.times(main_tid, Weight::hold),
              UnorderedElementsAre(Pair("work:20<main:5", 2'000'000),
                                   Pair("inner:31<work:21<main:5", 1'500'000),
                                   Pair("[no Python stack]:0", 500'000)));
  EXPECT_EQ(read.times(main_tid, Weight::wait)["work:20<main:5"], 0);
  const pprof::Label& label = read.file.sample(0).label(0);
  EXPECT_EQ(read.text(label.key()), "thread");
  EXPECT_EQ(read.text(label.str()), "MainThread (1000)");
}

TEST(Pprof, WeightsOfOneStackAreOneSample) {
  SampleProfile sample;
  sample.profile.stacks[static_cast<std::size_t>(Weight::wall)] = {
      {main_tid, sample.in_work, ms(7)}};
  const PprofRead read(sample.profile);
  int found = 0;
  for (const pprof::Sample& row : read.file.sample()) {
    if (read.path(row) != "work:20<main:5" || row.label(1).num() != main_tid.value) continue;
    ++found;
    EXPECT_THAT(row.value(), ElementsAre(2'000'000, 0, 0, 0, 7'000'000));
  }
  EXPECT_EQ(found, 1);
}

TEST(Pprof, LinesOfOneFunctionShareIt) {
  const PprofRead read(SampleProfile().profile);
  EXPECT_EQ(read.file.function_size(), 4);  // main, work, inner and the one for no stack
  EXPECT_EQ(read.file.location_size(), 5);  // work at two lines
  for (const pprof::Function& function : read.file.function()) {
    if (read.text(function.name()) != "work") continue;
    EXPECT_EQ(read.text(function.filename()), "/srv/app.py");
    EXPECT_EQ(function.start_line(), 10);
  }
}

TEST(Pprof, SaysHowWellItSampled) {
  const PprofRead read(SampleProfile().profile);
  EXPECT_EQ(read.file.duration_nanos(), ms(10).count());
  EXPECT_EQ(
      read.text(read.file.comment(2)),
      "1000 Hz asked, 1000.0 Hz achieved; 10 ticks, 2 missed, 0 unstable; 0 stacks, 0 dropped, 0 "
      "read again; resolution 1 ms");
  EXPECT_EQ(read.text(read.file.mapping(0).filename()), "python");
}

TEST(Pprof, HostileNamesAndNothingAtAll) {
  const PprofRead read(SampleProfile(hostile, hostile, hostile).profile);
  EXPECT_EQ(read.file.location_size(), 5);
  EXPECT_EQ(PprofRead(empty_profile()).file.sample_size(), 0);
}

}  // namespace
}  // namespace gilspy
