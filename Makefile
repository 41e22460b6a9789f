# SPDX-License-Identifier: GPL-2.0
#
#   make            build everything            make check    all tests (as root; LONG=1: more)
#   make run        the main job (as root)      make bench    measurements (as root)
#   make lint       format, tidy, cppcheck      make install  DESTDIR= prefix= libdir= (uninstall)
#   make fuzz       until Ctrl-C; FUZZ=name     make coverage what unit tests and replays run
#   make deb        Debian packages             make check-package  them on a bare Debian (as root)
#   make sbom       what it is linked of (SPDX)
#   make check-debug  tests of the helper module on a debug kernel, which it builds; takes hours
#   make kmod       the helper module, for the running kernel or KDIR=
#
# V=1 shows the commands, O=DIR builds elsewhere, CC=clang builds with clang.

O ?= build
prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
datadir ?= $(prefix)/share
bashdir ?= $(datadir)/bash-completion/completions
zshdir ?= $(datadir)/zsh/site-functions
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/ptscope
abidir ?= $(datadir)/ptscope/abi
unitdir ?= $(docdir)/examples
kmodsrcdir ?= $(prefix)/src/ptscope-$(VERSION)
cachedir ?= /var/cache/ptscope
CC = gcc
CLANG ?= clang
BPFTOOL ?= bpftool
PKG_CONFIG ?= pkg-config

VERSION := 0.1.0

# As many jobs as processors; -j on the command line is stronger.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all build deps run check check-unit check-replay check-native check-lab check-debug bench \
	fuzz kmod lint format install uninstall deb check-package sbom coverage clean

all: build

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Werror
CPPFLAGS += -I. -I$(O)/bpf -D_GNU_SOURCE -DPTSCOPE_VERSION='"$(VERSION)"' \
	-DPTSCOPE_ABI_DIR='"$(abidir)"'
CFLAGS ?= -O2 -g
# Made to be hard to misuse. What fortifies needs an optimizing compiler; a distribution's own flags
# may have done so already.
OPTIMIZED := $(filter-out -O0,$(filter -O%,$(CFLAGS)))
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection \
	$(if $(OPTIMIZED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDEN_LINK := -Wl,-z,relro,-z,now
# The same bytes wherever it is built: no path of this machine gets into them.
HERE := -ffile-prefix-map=$(CURDIR)=. $(if $(filter-out build,$(O)),-ffile-prefix-map=$(O)=build)
CFLAGS_ALL := -std=gnu11 $(WARN) $(CFLAGS) $(HARDEN) $(HERE)
LIBS := -lbpf -liberty -ldw -lelf -lz -lzstd -lncursesw -ltinfo

# ---- BPF programs and their skeletons -------------------------------------------------------
BPF_SRC := $(wildcard bpf/*.bpf.c)
SKEL := $(BPF_SRC:bpf/%.bpf.c=$(O)/bpf/%.skel.h)
BPF_FLAGS := -O2 -g -target bpf -D__TARGET_ARCH_x86 -Wall -Wextra -Wno-unused-parameter -Werror \
	$(HERE) -I/usr/include/$(shell $(CC) -print-multiarch)

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	$(say) BPF $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

# ---- user space -----------------------------------------------------------------------------
USER_SRC := $(sort $(wildcard user/*/*.c))
MAIN_SRC := $(wildcard user/cmd/main_*.c)
PROGRAMS := $(subst _,-,$(MAIN_SRC:user/cmd/main_%.c=%))
LIB_SRC := $(filter-out $(MAIN_SRC),$(USER_SRC))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/obj/%.o)

$(O)/obj/%.o: %.c | $(SKEL)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# The report's page lies in it as it is.
$(O)/obj/user/html/assets.o $(O)/san/user/html/assets.o: \
	$(wildcard user/html/*.css user/html/*.html user/html/*.js)

# Below sbom/ the same once more, with what the linker says that it took.
TRACED :=
$(O)/sbom/%: TRACED = -Wl,-t >$@.linked

$(O)/ptrace-pf $(O)/sbom/ptrace-pf: $(O)/obj/user/cmd/main_ptrace_pf.o
$(O)/ptremap $(O)/sbom/ptremap: $(O)/obj/user/cmd/main_ptremap.o
$(PROGRAMS:%=$(O)/%) $(PROGRAMS:%=$(O)/sbom/%): $(LIB_OBJ)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(HARDEN_LINK) $(LDFLAGS) $^ $(LIBS) -o $@ $(TRACED)

# ---- libraries for other programs: the page-table core, and the calls of /dev/ptremap ---------
PTW_OBJ := $(patsubst %.c,$(O)/pic/%.o,$(filter user/pt/%,$(LIB_SRC)))
PTREMAP_OBJ := $(O)/pic/user/kernel/helper.o $(O)/pic/user/kernel/mirror.o
LIBRARIES := libptw libptremap

$(O)/pic/%.o: %.c
	$(say) CC "$< (library)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -fPIC -MMD -MP -c $< -o $@

$(O)/libptw.a: $(PTW_OBJ)
$(O)/libptremap.a: $(PTREMAP_OBJ)
$(LIBRARIES:%=$(O)/%.a):
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/libptw.so $(O)/sbom/libptw.so: $(PTW_OBJ) user/pt/libptw.map
$(O)/libptremap.so $(O)/sbom/libptremap.so: $(PTREMAP_OBJ) user/kernel/libptremap.map
$(LIBRARIES:%=$(O)/%.so) $(LIBRARIES:%=$(O)/sbom/%.so):
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(HARDEN_LINK) $(LDFLAGS) -shared -Wl,-z,defs -Wl,-soname,$(@F).0 \
		-Wl,--version-script=$(filter %.map,$^) $(filter %.o,$^) -o $@ $(TRACED)

build: $(PROGRAMS:%=$(O)/%) $(LIBRARIES:%=$(O)/%.a) $(LIBRARIES:%=$(O)/%.so)

# ---- tests ----------------------------------------------------------------------------------
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g
SAN_OBJ := $(LIB_SRC:%.c=$(O)/san/%.o) $(UNIT_SRC:%.c=$(O)/san/%.o)

$(O)/san/%.o: %.c | $(SKEL)
	$(say) CC "$< (sanitized)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $(SAN) -MMD -MP -c $< -o $@

# A device of the tests' own stands for /dev/ptremap (tests/unit/fake_device.c).
FAKE := -Wl,--wrap=open,--wrap=ioctl

$(O)/tests/unit: $(UNIT_SRC:%.c=$(O)/obj/%.o) $(LIB_OBJ)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $(FAKE) $^ $(LIBS) -lcriterion -o $@

$(O)/tests/unit-san: $(SAN_OBJ)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $(FAKE) $^ $(LIBS) -lcriterion -o $@

# Programs that tests trace: plain C, static so that the lab runs them from anywhere.
TARGET_SRC := $(wildcard tests/system/*.c tests/bench/*.c)
TARGETS := $(addprefix $(O)/tests/,$(notdir $(TARGET_SRC:.c=)))
ifneq ($(words $(TARGETS)),$(words $(sort $(TARGETS))))
$(error of tests/system and tests/bench two programs have one name)
endif
TARGET_CFLAGS := -O1 -g -fno-omit-frame-pointer
TARGET_LINK := -static

# The benchmark of the library is built as its users are.
$(O)/tests/library: $(O)/libptw.a
$(O)/tests/library: TARGET_CFLAGS := -O2 -g

# Mirrors are used by their C API, above addresses that a window may have.
MIRROR_TARGETS := $(addprefix $(O)/tests/,mirrors mirrors_window mirrors_random mirror guest_read in_force)
$(MIRROR_TARGETS): $(O)/libptremap.a $(O)/libptw.a
$(O)/tests/guest_read: $(O)/obj/user/space/guest_run.o
$(MIRROR_TARGETS): TARGET_CFLAGS := -O2 -g -fPIE
$(MIRROR_TARGETS): TARGET_LINK := -static-pie

vpath %.c tests/system tests/bench
$(O)/tests/%: %.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $(TARGET_CFLAGS) -pthread $(TARGET_LINK) \
		-MMD -MP -MF $@.d $< $(filter %.o %.a,$^) -o $@

FUZZ_SRC := $(wildcard tests/fuzz/*.c)
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(O)/tests/%)
# All that reads bytes from outside; not what asks the kernel for them.
FUZZ_LIB := $(filter user/base/% user/record/% user/pt/% user/space/% user/abi/% user/trace/names.c \
	user/remap/change.c user/remap/bits.c user/remap/force.c user/remap/rule.c user/remap/rule_text.c,$(LIB_SRC))
FUZZ_LIB := $(filter-out %/guest.c %/phys_mem.c %/vm_chain.c,$(FUZZ_LIB))
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g

$(O)/fuzz/%.o: %.c
	$(say) CC "$< (fuzzed)"
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 $(WARN) $(FUZZ_SAN) -fsanitize=fuzzer-no-link \
		-MMD -MP -c $< -o $@

$(FUZZERS): $(O)/tests/%: $(O)/fuzz/tests/fuzz/%.o $(FUZZ_LIB:%.c=$(O)/fuzz/%.o)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_SAN) -fsanitize=fuzzer $^ -ldw -lelf -lz -lzstd -o $@

# Payloads that tests boot: each adds what it builds to GUESTS.
include $(wildcard tests/guests/*/build.mk)

TEST_BINARIES := $(GUESTS) $(O)/tests/unit $(O)/tests/unit-san $(TARGETS) $(FUZZERS)

deps:
	$(Q)scripts/deps $(DEPS)

run:
	$(Q)scripts/deps build lab
	$(Q)$(MAKE) --no-print-directory build $(TARGETS)
	$(Q)scripts/run

check:
	$(Q)scripts/deps
	$(Q)$(MAKE) --no-print-directory build $(TEST_BINARIES)
	$(Q)tests/run $(TESTS)

check-unit check-replay check-native check-lab: check-%: build $(TEST_BINARIES)
	$(Q)tests/run $*

check-debug:
	$(Q)scripts/deps build check lab debug
	$(Q)scripts/lab-kernel --initramfs debug >/dev/null
	$(Q)$(MAKE) --no-print-directory build $(TEST_BINARIES)
	$(Q)tests/run debug

bench:
	$(Q)scripts/deps build check lab bench
	$(Q)scripts/deps bench || echo "bench: goes on without those"
	$(Q)$(MAKE) --no-print-directory build $(TARGETS) $(O)/tests/kvm_guest
	$(Q)O='$(O)' tests/bench/run -o BENCHMARKS.md

fuzz:
	$(Q)scripts/deps build check
	$(Q)$(MAKE) --no-print-directory $(FUZZERS)
	$(Q)tests/fuzz/run.sh --forever $(FUZZ)

KDIR ?= /lib/modules/$(shell uname -r)/build
kmod:
	$(Q)O=$(O) scripts/kmod $(KDIR)

lint:
	$(Q)scripts/deps build lint
	$(Q)$(MAKE) --no-print-directory $(SKEL)
	$(Q)scripts/lint

format:
	clang-format -i bpf/*.[ch] user/*/*.[ch] user/pt/example/*.c $(wildcard tests/*/*.[ch])

# Where things go, and under which version: the scripts are told.
FOLDERS := DESTDIR prefix bindir libdir includedir datadir mandir docdir bashdir zshdir abidir \
	unitdir kmodsrcdir cachedir
TELL = $(foreach v,$(FOLDERS),$(v)='$($(v))') O='$(O)' VERSION='$(VERSION)' \
	PROGRAMS='$(PROGRAMS)' LIBRARIES='$(LIBRARIES)'

install: build
	$(Q)$(TELL) scripts/install install

uninstall:
	$(Q)$(TELL) scripts/install uninstall

deb:
	$(Q)scripts/deps build package
	$(Q)O='$(O)' VERSION='$(VERSION)' scripts/deb

check-package: deb
	$(Q)scripts/deps lab
	$(Q)$(MAKE) --no-print-directory build
	$(Q)O='$(O)' tests/package/run.sh

LINKED := $(PROGRAMS) $(LIBRARIES:%=%.so)
sbom:
	$(Q)scripts/deps build sbom
	$(Q)$(MAKE) --no-print-directory build $(LINKED:%=$(O)/sbom/%)
	$(Q)O='$(O)' VERSION='$(VERSION)' FILES='$(LINKED)' CC='$(CC)' CLANG='$(CLANG)' \
		BPFTOOL='$(BPFTOOL)' scripts/sbom

coverage:
	$(Q)scripts/deps build check
	$(Q)O='$(O)' scripts/coverage

clean:
	rm -rf $(addprefix $(O)/,bpf obj pic san fuzz guests sbom tests $(PROGRAMS) \
		$(LIBRARIES:%=%.a) $(LIBRARIES:%=%.so) ptscope.spdx.json)

-include $(shell find $(O) \( -name lab -o -name package -o -name deb \) -prune -o -name '*.d' -type f -print 2>/dev/null)
