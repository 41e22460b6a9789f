# SPDX-License-Identifier: GPL-2.0
#
#   make            build everything            make check    all tests (as root; LONG=1: more)
#   make run        the main job (as root)      make bench    measurements (as root)
#   make lint       format, tidy, cppcheck      make install  DESTDIR= prefix= libdir=
#   make check-debug  tests of the helper module on a debug kernel, which it builds; takes hours
#   make fuzz       until Ctrl-C; FUZZ=name for one
#   make kmod       the helper module, for the running kernel or KDIR=
#
# V=1 shows the commands, O=DIR builds elsewhere, CC=clang builds with clang.

O ?= build
prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man
completiondir ?= $(prefix)/share/bash-completion/completions
abidir ?= $(prefix)/share/ptscope/abi
CC = gcc
CLANG ?= clang
BPFTOOL ?= bpftool
PKG_CONFIG ?= pkg-config

VERSION := 0.1.0

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all build deps run check check-unit check-replay check-native check-lab check-debug bench fuzz kmod lint \
	format install clean

all: build

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Werror
CPPFLAGS += -I. -I$(O)/bpf -D_GNU_SOURCE -DPTSCOPE_VERSION='"$(VERSION)"' \
	-DPTSCOPE_ABI_DIR='"$(abidir)"'
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARN) $(CFLAGS)
LIBS := -lbpf -ldw -lelf -lz -lzstd -lncursesw -ltinfo

# ---- BPF programs and their skeletons -------------------------------------------------------
BPF_SRC := $(wildcard bpf/*.bpf.c)
SKEL := $(BPF_SRC:bpf/%.bpf.c=$(O)/bpf/%.skel.h)
BPF_FLAGS := -O2 -g -target bpf -D__TARGET_ARCH_x86 -Wall -Wextra -Wno-unused-parameter -Werror \
	-I/usr/include/$(shell $(CC) -print-multiarch)

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

$(O)/ptrace-pf: $(O)/obj/user/cmd/main_ptrace_pf.o
$(O)/ptremap: $(O)/obj/user/cmd/main_ptremap.o
$(PROGRAMS:%=$(O)/%): $(LIB_OBJ)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(LIBS) -o $@

# ---- libraries for other programs: the page-table core, and the calls of /dev/ptremap ---------
PTW_OBJ := $(patsubst %.c,$(O)/pic/%.o,$(filter user/pt/%,$(LIB_SRC)))
PTW_HEADERS := $(filter-out %_priv.h,$(wildcard user/pt/*.h))
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

$(O)/libptw.so: $(PTW_OBJ) user/pt/libptw.map
$(O)/libptremap.so: $(PTREMAP_OBJ) user/kernel/libptremap.map
$(LIBRARIES:%=$(O)/%.so):
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -shared -Wl,-z,defs -Wl,-soname,$(@F).0 \
		-Wl,--version-script=$(filter %.map,$^) $(filter %.o,$^) -o $@

build: $(PROGRAMS:%=$(O)/%) $(LIBRARIES:%=$(O)/%.a) $(LIBRARIES:%=$(O)/%.so)

# ---- tests ----------------------------------------------------------------------------------
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -O1 -g
SAN_OBJ := $(LIB_SRC:%.c=$(O)/san/%.o) $(UNIT_SRC:%.c=$(O)/san/%.o)

$(O)/san/%.o: %.c | $(SKEL)
	$(say) CC "$< (sanitized)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $(SAN) -MMD -MP -c $< -o $@

$(O)/tests/unit: $(UNIT_SRC:%.c=$(O)/obj/%.o) $(LIB_OBJ)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(LIBS) -lcriterion -o $@

$(O)/tests/unit-san: $(SAN_OBJ)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $^ $(LIBS) -lcriterion -o $@

# Programs that tests trace: plain C, static so that the lab runs them from anywhere.
TARGET_SRC := $(wildcard tests/system/*.c tests/bench/*.c)
TARGETS := $(addprefix $(O)/tests/,$(notdir $(TARGET_SRC:.c=)))
TARGET_CFLAGS := -O1 -g -fno-omit-frame-pointer
TARGET_LINK := -static

# The benchmark of the library is built as its users are.
$(O)/tests/library: $(O)/libptw.a
$(O)/tests/library: TARGET_CFLAGS := -O2 -g

# Mirrors are used by their C API, above addresses that a window may have.
MIRROR_TARGETS := $(addprefix $(O)/tests/,mirrors mirrors_window mirrors_random mirror)
$(MIRROR_TARGETS): $(O)/libptremap.a $(O)/libptw.a
$(MIRROR_TARGETS): TARGET_CFLAGS := -O2 -g -fPIE
$(MIRROR_TARGETS): TARGET_LINK := -static-pie

vpath %.c tests/system tests/bench
$(O)/tests/%: %.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $(TARGET_CFLAGS) -pthread $(TARGET_LINK) \
		-MMD -MP -MF $@.d $< $(filter %.a,$^) -o $@

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
	$(Q)scripts/deps bench || echo "bench: goes on without drgn"
	$(Q)$(MAKE) --no-print-directory build $(TARGETS)
	$(Q)tests/bench/run

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

# So that pkg-config can move what lies there with --define-prefix.
below_prefix = $(patsubst $(prefix)/%,$${prefix}/%,$(1))

install: build
	install -d $(addprefix $(DESTDIR),$(bindir) $(libdir)/pkgconfig \
		$(includedir)/ptw $(includedir)/ptremap \
		$(mandir)/man1 $(mandir)/man3 $(mandir)/man5 $(completiondir) $(abidir))
	install -m 755 $(PROGRAMS:%=$(O)/%) $(DESTDIR)$(bindir)
	install -m 644 $(PROGRAMS:%=user/cmd/%.1) $(DESTDIR)$(mandir)/man1
	install -m 644 user/cmd/ptrace-pf-abi.5 user/cmd/ptremap-rules.5 $(DESTDIR)$(mandir)/man5
	install -m 644 $(wildcard user/abi/*.abi) $(DESTDIR)$(abidir)
	for p in $(PROGRAMS); do \
		install -m 644 user/cmd/$$p.bash $(DESTDIR)$(completiondir)/$$p || exit 1; \
	done
	install -m 644 $(PTW_HEADERS) $(DESTDIR)$(includedir)/ptw
	install -m 644 kmod-helper/uapi/*.h $(DESTDIR)$(includedir)/ptremap
	sed 's|"kmod-helper/uapi/ptremap.h"|<ptremap/ptremap.h>|' user/kernel/helper.h \
		>$(DESTDIR)$(includedir)/ptremap/libptremap.h
	sed -e 's|"kmod-helper/uapi/\(.*\)"|<ptremap/\1>|' \
		-e 's|"user/kernel/helper.h"|<ptremap/libptremap.h>|' user/kernel/mirror.h \
		>$(DESTDIR)$(includedir)/ptremap/mirror.h
	for l in $(LIBRARIES); do \
		install -m 644 $(O)/$$l.a $(DESTDIR)$(libdir) && \
		install -m 755 $(O)/$$l.so $(DESTDIR)$(libdir)/$$l.so.$(VERSION) && \
		ln -sf $$l.so.$(VERSION) $(DESTDIR)$(libdir)/$$l.so.0 && \
		ln -sf $$l.so.0 $(DESTDIR)$(libdir)/$$l.so && \
		sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(call below_prefix,$(libdir))|' \
			-e 's|@includedir@|$(call below_prefix,$(includedir))|' \
			-e 's|@version@|$(VERSION)|' user/*/$$l.pc.in \
			>$(DESTDIR)$(libdir)/pkgconfig/$$l.pc || exit 1; \
	done
	install -m 644 user/pt/ptw.3 $(DESTDIR)$(mandir)/man3

clean:
	rm -rf $(addprefix $(O)/,bpf obj pic san fuzz guests tests $(PROGRAMS) \
		$(LIBRARIES:%=%.a) $(LIBRARIES:%=%.so))

-include $(shell find $(O) -name lab -prune -o -name '*.d' -type f -print 2>/dev/null)
