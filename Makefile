# SPDX-License-Identifier: GPL-2.0
#
#   make            build everything            make check    all tests (as root)
#   make run        the main job (as root)      make bench    measurements (as root)
#   make lint       format, tidy, cppcheck      make install  DESTDIR= prefix=
#
# V=1 shows the commands, O=DIR builds elsewhere, CC=clang builds with clang.

O ?= build
prefix ?= /usr/local
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
.PHONY: all build deps run check check-unit check-replay check-native check-lab bench lint format \
	install clean

all: build

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Werror
CPPFLAGS += -I. -I$(O)/bpf -D_GNU_SOURCE -DPTSCOPE_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARN) $(CFLAGS)
LIBS := -lbpf -ldw -lelf -lz

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
MAIN_SRC := user/cmd/main_ptrace_pf.c
LIB_SRC := $(filter-out $(MAIN_SRC),$(USER_SRC))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/obj/%.o)

$(O)/obj/%.o: %.c | $(SKEL)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(O)/ptrace-pf: $(O)/obj/user/cmd/main_ptrace_pf.o $(LIB_OBJ)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ $(LIBS) -o $@

build: $(O)/ptrace-pf

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

vpath %.c tests/system tests/bench
$(O)/tests/%: %.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O1 -g -fno-omit-frame-pointer -pthread -static \
		-MMD -MP -MF $@.d $< -o $@

FUZZ_SRC := $(wildcard tests/fuzz/*.c)
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=$(O)/tests/%)

$(O)/tests/fuzz_%: tests/fuzz/fuzz_%.c $(LIB_SRC) | $(SKEL)
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all $< $(wildcard user/base/*.c user/record/*.c) -o $@

TEST_BINARIES := $(O)/tests/unit $(O)/tests/unit-san $(TARGETS) $(FUZZERS)

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

bench:
	$(Q)scripts/deps
	$(Q)$(MAKE) --no-print-directory build $(TARGETS)
	$(Q)tests/bench/run

lint:
	$(Q)scripts/deps build lint
	$(Q)$(MAKE) --no-print-directory $(SKEL)
	$(Q)scripts/lint

format:
	clang-format -i bpf/*.[ch] user/*/*.[ch] $(wildcard tests/*/*.[ch])

install: build
	install -D -m 755 $(O)/ptrace-pf $(DESTDIR)$(prefix)/bin/ptrace-pf
	install -D -m 644 user/cmd/ptrace-pf.1 $(DESTDIR)$(prefix)/share/man/man1/ptrace-pf.1
	install -D -m 644 user/cmd/ptrace-pf.bash \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/ptrace-pf

clean:
	rm -rf $(O)/bpf $(O)/obj $(O)/san $(O)/tests $(O)/ptrace-pf

-include $(shell find $(O) -name '*.d' 2>/dev/null)
