# SPDX-License-Identifier: GPL-2.0
# A small monitor over /dev/kvm with guests of its own: what they do is known to the last register.

KVMG := tests/guests/kvm
KVMG_FLAGS := -std=gnu11 $(WARN) -Os -ffreestanding -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only -mno-red-zone \
	-fno-jump-tables
KVMG_LINK := -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,--defsym=PAYLOAD=0xa000 -Wl,--defsym=PAYLOAD_SIZE=0x4000 -T $(KVMG)/guest.ld
KVMG_SRC := $(sort $(filter-out $(KVMG)/guest.c,$(wildcard $(KVMG)/*.c)))
KVMG_BIN := $(foreach bits,16 32 64,$(O)/guests/kvm-$(bits).bin)

GUESTS += $(O)/tests/kvm_guest

$(O)/guests/kvm-%.bin: $(KVMG)/entry.S $(KVMG)/guest.c $(KVMG)/guest.h $(KVMG)/guest.ld \
		$(KVMG)/build.mk
	$(say) GUEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) -m$* -DGUEST_BITS=$* $(KVMG_FLAGS) $(KVMG_LINK) $(filter %.S %.c,$^) -o $@.elf
	$(Q)$(OBJCOPY) -O binary $@.elf $@

$(O)/tests/kvm_guest: $(KVMG_SRC) $(KVMG_BIN) $(KVMG)/blob.S $(wildcard $(KVMG)/*.h)
	$(say) CC $(KVMG)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -g -Wa,-I$(O)/guests -pthread -static \
		$(KVMG_SRC) $(KVMG)/blob.S -o $@
