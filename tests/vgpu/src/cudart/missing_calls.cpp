// SPDX-License-Identifier: Apache-2.0
//
// The stand-in for the runtime exports every function of the real library. Those for cuBLAS and cuDNN leave undefined
// functions to the dynamic linker, which looks them up on the first call. Either way, a test that happens not to reach
// an unsupported call would pass without having tested it. Therefore a process that refers to such functions is ended
// when it is loaded, with a message that lists all of them. Shared libraries are treated like the program, since it
// cannot be determined from outside whether they will make a call. A program that loads libraries of which it uses only
// some functions can set VGPU_MISSING=call; it is then ended by the call itself.
#include "cudart/missing_calls.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "cudart/error.h"

namespace vgpu::cudart {
namespace {

// Returns the names that the relocations of a loaded object refer to and that it does not define.
std::set<std::string> references_of(const dl_phdr_info& object) {
  const ElfW(Dyn)* dynamic = nullptr;
  for (int i = 0; i < object.dlpi_phnum; ++i)
    if (object.dlpi_phdr[i].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + object.dlpi_phdr[i].p_vaddr);
  if (dynamic == nullptr) return {};

  const auto entry = [&](ElfW(Sxword) tag) -> ElfW(Addr) {
    for (const ElfW(Dyn)* one = dynamic; one->d_tag != DT_NULL; ++one)
      if (one->d_tag == tag) return one->d_un.d_val;
    return 0;
  };
  // The dynamic linker has replaced the offsets by addresses, except in the object that the kernel provides (vDSO).
  const auto address = [&](ElfW(Sxword) tag) {
    const ElfW(Addr) value = entry(tag);
    return value != 0 && value < object.dlpi_addr ? value + object.dlpi_addr : value;
  };
  const auto* symbols = reinterpret_cast<const ElfW(Sym)*>(address(DT_SYMTAB));
  const auto* names = reinterpret_cast<const char*>(address(DT_STRTAB));
  if (symbols == nullptr || names == nullptr) return {};

  std::set<std::string> found;
  const auto scan = [&](ElfW(Sxword) table, ElfW(Sxword) size) {
    const auto* relocation = reinterpret_cast<const ElfW(Rela)*>(address(table));
    if (relocation == nullptr) return;
    for (const auto* end = relocation + entry(size) / sizeof *relocation; relocation != end; ++relocation) {
      const ElfW(Sym)& symbol = symbols[ELF64_R_SYM(relocation->r_info)];
      if (symbol.st_shndx == SHN_UNDEF && ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL)
        found.insert(names + symbol.st_name);
    }
  };
  scan(DT_RELA, DT_RELASZ);
  scan(DT_JMPREL, DT_PLTRELSZ);
  return found;
}

bool begins_with(const std::string& name, const char* prefix) {
  return name.compare(0, std::strlen(prefix), prefix) == 0;
}

// Returns the stand-in that lacks the function, or null if none does.
const char* lacking(const std::string& name) {
  const auto& refused = refused_calls();
  if (std::any_of(refused.begin(), refused.end(), [&](const char* one) { return name == one; }))
    return "libcudart.so.13";
  const char* library = begins_with(name, "cublasLt") ? "libcublasLt.so.13"
                        : begins_with(name, "cublas") ? "libcublas.so.13"
                        : begins_with(name, "cudnn")  ? "libcudnn.so.9"
                                                      : nullptr;
  if (library == nullptr) return nullptr;
  void* handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return nullptr;
  const bool defined = dlsym(handle, name.c_str()) != nullptr;
  dlclose(handle);
  return defined ? nullptr : library;
}

std::string path_of(const dl_phdr_info& object) {
  if (object.dlpi_name != nullptr && *object.dlpi_name != '\0') return object.dlpi_name;
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "the program";
}

[[gnu::constructor]] void refuse_missing_calls() {
  const char* choice = std::getenv("VGPU_MISSING");
  if (choice != nullptr && std::strcmp(choice, "call") == 0) return;
  const std::vector<MissingCall> missing = missing_calls();
  if (missing.empty()) return;
  for (const MissingCall& call : missing)
    say(call.object + " refers to " + call.name + ", which the stand-in for " + call.library + " does not have");
  say("VGPU_MISSING=call lets programs load that may never make such a call");
  std::_Exit(127);
}

}  // namespace

std::vector<MissingCall> missing_calls() {
  struct Reference {
    std::string object, name;
  };
  std::vector<Reference> references;
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* all) {
        for (const std::string& name : references_of(*object))
          if (begins_with(name, "cu") || begins_with(name, "__cuda"))
            static_cast<std::vector<Reference>*>(all)->push_back({path_of(*object), name});
        return 0;
      },
      &references);
  std::vector<MissingCall> missing;
  for (const Reference& reference : references)
    if (const char* library = lacking(reference.name)) missing.push_back({reference.object, reference.name, library});
  return missing;
}

}  // namespace vgpu::cudart
