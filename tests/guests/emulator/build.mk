# SPDX-License-Identifier: GPL-2.0
# The example of an emulator, with three ways to reach its guest's memory.

EMULATOR := tests/guests/emulator
EMULATOR_OBJ := $(patsubst %,$(O)/obj/$(EMULATOR)/%.o,core world program backend_walk backend_tlb \
	backend_mirror)

GUESTS += $(O)/tests/emulator

$(O)/tests/emulator: $(EMULATOR_OBJ) $(O)/obj/$(EMULATOR)/main.o $(O)/libptremap.a $(O)/libptw.a
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -static -pthread $^ -o $@
