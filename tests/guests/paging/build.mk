# SPDX-License-Identifier: GPL-2.0
# The bare-metal guest that asks a CPU about its page tables, as 32-bit and as 64-bit code, and
# what judges its answers.

PAGING := tests/guests/paging
PAGING_SRC := $(PAGING)/boot.S \
	$(addprefix $(PAGING)/,main.c console.c cpu.c tables.c matrix.c hold.c)
PAGING_FLAGS := -std=gnu11 $(WARN) -O2 -ffreestanding -fno-pic -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only -mno-red-zone
PAGING_LINK := -static -nostdlib -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -T $(PAGING)/paging.ld
OBJCOPY ?= objcopy

GUESTS += $(O)/guests/paging-32.elf $(O)/guests/paging-64.elf $(O)/tests/access_check

# A loader for multiboot takes 32-bit files only, whatever code is in them.
$(O)/guests/paging-%.elf: $(PAGING_SRC) $(PAGING)/paging.h $(PAGING)/paging.ld $(PAGING)/build.mk
	$(say) GUEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) -m$* $(PAGING_FLAGS) $(PAGING_LINK) $(PAGING_SRC) -o $@
	$(Q)$(OBJCOPY) -O elf32-i386 $@

$(O)/tests/access_check: $(O)/obj/$(PAGING)/check.o $(O)/obj/user/pt/pt_access.o \
		$(O)/obj/user/pt/pt_mode.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $^ -o $@
