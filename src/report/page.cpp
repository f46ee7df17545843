#include "gilspy/report/page.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "embedded/details.js.h"
#include "embedded/draw.js.h"
#include "embedded/figures.js.h"
#include "embedded/findings.js.h"
#include "embedded/flame.js.h"
#include "embedded/format.js.h"
#include "embedded/header.js.h"
#include "embedded/input.js.h"
#include "embedded/main.js.h"
#include "embedded/matrix.js.h"
#include "embedded/page.css.h"
#include "embedded/page.html.h"
#include "embedded/recording.js.h"
#include "embedded/stacks.js.h"
#include "embedded/threads.js.h"
#include "embedded/timeline.js.h"
#include "embedded/tracks.js.h"
#include "gilspy/base/text.h"
#include "gilspy/report/summary.h"
#include "packed.h"
#include "page_clock.h"
#include "page_facts.h"
#include "page_overview.h"
#include "page_stacks.h"
#include "page_tracks.h"

namespace gilspy {
namespace {

struct Part {
  std::string_view content;
  std::string_view sha256;  ///< in hex
};

constexpr Part style{embedded::page_css, embedded::page_css_sha256};
/// Each uses only what comes before it; main.js starts it all.
constexpr std::array scripts{Part{embedded::format_js, embedded::format_js_sha256},
                             Part{embedded::recording_js, embedded::recording_js_sha256},
                             Part{embedded::tracks_js, embedded::tracks_js_sha256},
                             Part{embedded::stacks_js, embedded::stacks_js_sha256},
                             Part{embedded::figures_js, embedded::figures_js_sha256},
                             Part{embedded::header_js, embedded::header_js_sha256},
                             Part{embedded::findings_js, embedded::findings_js_sha256},
                             Part{embedded::details_js, embedded::details_js_sha256},
                             Part{embedded::draw_js, embedded::draw_js_sha256},
                             Part{embedded::timeline_js, embedded::timeline_js_sha256},
                             Part{embedded::input_js, embedded::input_js_sha256},
                             Part{embedded::threads_js, embedded::threads_js_sha256},
                             Part{embedded::matrix_js, embedded::matrix_js_sha256},
                             Part{embedded::flame_js, embedded::flame_js_sha256},
                             Part{embedded::main_js, embedded::main_js_sha256}};

/// More intervals than this and a browser is slow, and the page too large.
constexpr std::size_t most_steps = 4'000'000;
constexpr std::size_t most_samples = 1'000'000;
/// Of base64. What else is in a page stays far below the rest of 20 MB.
constexpr std::size_t largest_detail = 15'000'000;
/// The first grain to try: a millisecond, what the sampler's own rate comes to.
constexpr Duration smallest_grain = std::chrono::milliseconds{1};

std::string source_hash(const Part& part) {
  return fmt::format(" 'sha256-{}'", base64(from_hex(part.sha256)));
}

/// Only our own scripts and styles run, whatever a name in the data says; nothing is fetched.
std::string policy() {
  std::string text = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src";
  text += source_hash(style) + "; script-src";
  for (const Part& script : scripts) text += source_hash(script);
  return text;
}

/// The intervals and samples of a run, as fine as fits.
class Detail {
 public:
  Detail(const Profile& profile, const PageClock& clock, const Lanes& lanes)
      : profile_(profile),
        tracks_(tracks_of(profile, clock, lanes)),
        samples_(samples_of(profile, clock)),
        smallest_grain_(static_cast<std::uint32_t>(smallest_grain / clock.unit())) {
    std::size_t count = 0;
    for (const auto& thread : samples_) count += thread.size();
    how_.every = count / most_samples + 1;
    while (!fits(clock.end())) {
      how_.grain = how_.grain == 0 ? std::max(1U, smallest_grain_) : how_.grain * 2;
    }
  }

  [[nodiscard]] const PageTracks& tracks() const { return tracks_; }
  [[nodiscard]] const PageDetail& how() const { return how_; }
  [[nodiscard]] const std::string& packed() const { return packed_; }

 private:
  /// Coarser than the whole run is not possible, and has to do.
  bool fits(std::uint32_t coarsest) {
    const bool last = how_.grain > coarsest / 2;
    const PageTracks coarse = how_.grain == 0 ? PageTracks{} : coarsened(tracks_, how_.grain);
    const PageTracks& shown = how_.grain == 0 ? tracks_ : coarse;
    if (shown.size() > most_steps && !last) return false;
    Packer packer;
    for (const Track& track : shown.threads) pack(track, packer);
    for (const GilTrack& gil : shown.gils) pack(gil, packer);
    pack(how_.every == 1 ? samples_ : thinned(samples_, how_.every), *profile_.tables, packer);
    packed_ = base64(deflated(packer.bytes()));
    if (packed_.size() <= largest_detail || last) return true;
    how_.every *= 2;
    return false;
  }

  const Profile& profile_;
  PageTracks tracks_;
  std::vector<std::vector<PageSample>> samples_;
  std::uint32_t smallest_grain_;
  PageDetail how_;
  std::string packed_;
};

void write_data(std::ostream& out, std::string_view id, std::string_view type,
                std::string_view data) {
  out << fmt::format("<script type=\"{}\" id=\"{}\">", type, id) << data << "</script>\n";
}

/// For browsers that run no script.
std::string plain_summary(const Profile& profile) {
  std::ostringstream text;
  summary_exporter().write(profile, ExportOptions{}, text);
  return markup_text(text.str());
}

/// What can be seen at once comes first, and the bulk of the data last: the browser paints before
/// it has read that.
void write_content(const Profile& profile, std::ostream& out) {
  const PageClock clock{profile};
  const Lanes lanes{profile};
  const Detail detail{profile, clock, lanes};
  const auto with_overview = overview_lanes(detail.tracks());
  Packer overview;
  pack_overview(detail.tracks(), with_overview, clock.end(), overview);

  write_data(out, "facts", "application/json",
             page_facts(profile, clock, detail.tracks(), lanes, with_overview, detail.how()));
  write_data(out, "overview", "text/plain", base64(deflated(overview.bytes())));
  for (const Part& script : scripts) out << "<script>" << script.content << "</script>\n";
  write_data(out, "detail", "text/plain", detail.packed());
}

class HtmlExporter : public Exporter {
 public:
  /// page.html has a place for each {{part}}.
  void write(const Profile& profile, const ExportOptions&, std::ostream& out) const override {
    std::string_view rest = embedded::page_html;
    for (auto begin = rest.find("{{"); begin != std::string_view::npos; begin = rest.find("{{")) {
      const auto end = rest.find("}}", begin);
      out << rest.substr(0, begin);
      write_part(rest.substr(begin + 2, end - begin - 2), profile, out);
      rest.remove_prefix(end + 2);
    }
    out << rest;
  }

 private:
  static void write_part(std::string_view name, const Profile& profile, std::ostream& out) {
    if (name == "policy") out << policy();
    if (name == "style") out << style.content;
    if (name == "title") out << markup_text(terminal_text(profile.process.command));
    if (name == "verdict") out << markup_text(terminal_text(profile.verdict.text));
    if (name == "summary") out << plain_summary(profile);
    if (name == "content") write_content(profile, out);
  }
};

}  // namespace

const Exporter& html_exporter() {
  static const HtmlExporter exporter;
  return exporter;
}

}  // namespace gilspy
