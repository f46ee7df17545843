#include "gilspy/elf/loaded_elf.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <vector>

#include "fake_memory.h"
#include "gilspy/elf/elf_file.h"

namespace gilspy {
namespace {

constexpr std::uint64_t base = 0x7f0000000000;

/// A library of one loadable page with one exported symbol, as a loader leaves it in memory.
struct Image {
  struct {
    Elf64_Ehdr header{};
    Elf64_Phdr parts[3]{};
    Elf64_Dyn dynamic[4]{};
    Elf64_Nhdr note{};
    char note_name[4] = {'G', 'N', 'U', '\0'};
    unsigned char note_content[4] = {0xab, 0x01, 0xcd, 0xff};
    Elf64_Sym symbols[3]{};
    char names[32] = "\0imported\0_PyRuntime";
  } page;

  explicit Image(bool relocated) {
    Elf64_Ehdr& header = page.header;
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_phoff = at(&page.parts);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 3;
    page.parts[0] = {PT_LOAD, PF_R, 0, 0, 0, sizeof(page), 0x1000, 0x1000};
    page.parts[1] = {PT_DYNAMIC, PF_R, 0, at(&page.dynamic), 0, 0, sizeof(page.dynamic), 8};
    page.parts[2] = {PT_NOTE, PF_R, 0, at(&page.note), 0, 0, 20, 4};
    const std::uint64_t moved = relocated ? base : 0;
    page.dynamic[0] = {DT_SYMTAB, {at(&page.symbols) + moved}};
    page.dynamic[1] = {DT_STRTAB, {at(&page.names) + moved}};
    page.dynamic[2] = {DT_STRSZ, {sizeof(page.names)}};
    page.note = {4, 4, NT_GNU_BUILD_ID};
    page.symbols[1] = {1, 0, 0, SHN_UNDEF, 0x10, 8};
    page.symbols[2] = {10, 0, 0, 5, 0x800, 8};
  }
  [[nodiscard]] std::uint64_t at(const void* member) const {
    return static_cast<std::uint64_t>(static_cast<const char*>(member) -
                                      reinterpret_cast<const char*>(&page));
  }
  [[nodiscard]] std::optional<LoadedElf> read() const {
    FakeMemory memory;
    memory.put(RemoteAddress{base}, std::as_bytes(std::span{&page, 1}));
    return LoadedElf::read(memory, RemoteAddress{base});
  }
};

TEST(LoadedElf, HasExportedSymbolsAndTheBuildId) {
  for (const bool relocated : {true, false}) {  // glibc, musl
    const auto elf = Image{relocated}.read();
    ASSERT_TRUE(elf);
    EXPECT_EQ(elf->symbol("_PyRuntime"), RemoteAddress{base + 0x800});
    EXPECT_FALSE(elf->symbol("imported"));
    EXPECT_FALSE(elf->symbol("_PyRun"));
    EXPECT_EQ(elf->build_id(), "ab01cdff");
  }
}

TEST(LoadedElf, IsNoneWhereNoProgramLies) {
  FakeMemory memory;
  EXPECT_FALSE(LoadedElf::read(memory, RemoteAddress{base}));
  memory.put_zeros(RemoteAddress{base}, 4096);
  EXPECT_FALSE(LoadedElf::read(memory, RemoteAddress{base}));
  Image image{true};
  image.page.header.e_machine = EM_AARCH64;
  EXPECT_FALSE(image.read());
}

TEST(LoadedElf, OfHostileSizesGivesFewerAnswers) {
  Image image{true};
  image.page.header.e_phnum = 0xffff;
  EXPECT_FALSE(image.read());  // not all of them are readable
  image = Image{true};
  image.page.dynamic[2].d_un.d_val = UINT64_MAX;
  EXPECT_FALSE(image.read()->symbol("_PyRuntime"));
  image = Image{true};
  image.page.dynamic[1].d_un.d_ptr = UINT64_MAX;
  EXPECT_FALSE(image.read()->symbol("_PyRuntime"));
  image = Image{true};
  image.page.symbols[2].st_name = UINT32_MAX;
  EXPECT_FALSE(image.read()->symbol("_PyRuntime"));
  image = Image{true};
  image.page.note.n_descsz = UINT32_MAX;
  EXPECT_EQ(image.read()->build_id(), "");
}

TEST(LoadedElf, OfDamagedBytesGivesAnswers) {
  std::mt19937 random{17};
  for (int round = 0; round < 3000; ++round) {
    Image image{round % 2 == 0};
    auto* bytes = reinterpret_cast<unsigned char*>(&image.page);
    for (int i = 0; i < 4; ++i) {
      bytes[random() % sizeof(image.page)] = static_cast<unsigned char>(random());
    }
    if (const auto elf = image.read()) (void)elf->symbol("_PyRuntime");
  }
}

/// Reads this process.
class OwnMemory : public MemoryReader {
 public:
  Result<std::size_t> read_batch(std::span<const ReadSlot> slots) override {
    for (const ReadSlot& slot : slots) {
      std::memcpy(slot.into.data(), reinterpret_cast<const void*>(slot.from.value()),
                  slot.into.size());
    }
    return slots.size();
  }
};

TEST(LoadedElf, OfALibraryOfThisProcessSaysWhatTheLoaderSays) {
  void* const known = ::dlsym(RTLD_DEFAULT, "elf_begin");  // of libelf
  ASSERT_NE(known, nullptr);
  Dl_info info{};
  ASSERT_NE(::dladdr(known, &info), 0);
  OwnMemory memory;
  const auto begin = RemoteAddress{reinterpret_cast<std::uintptr_t>(info.dli_fbase)};
  const auto elf = LoadedElf::read(memory, begin);
  ASSERT_TRUE(elf);
  EXPECT_EQ(elf->symbol("elf_begin"), RemoteAddress{reinterpret_cast<std::uintptr_t>(known)});
  const auto file = ElfFile::open(UniqueFd{::open(info.dli_fname, O_RDONLY)});
  ASSERT_TRUE(file);
  EXPECT_EQ(elf->build_id(), file->build_id());
}

}  // namespace
}  // namespace gilspy
