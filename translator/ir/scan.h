// Loops that look for the highest byte of a number that is not zero: libgcc's __clzdi2 and __ctzdi2, which programs for processors without instructions for it call all the time. How often they go
// round nobody can predict, so that a host's wrong guess costs more than all the rest.
#pragma once
#include "translator/ir/uop.h"

// Has the shift that such a loop counts with begin where its last round would find it. What the block does stays the same but for the rounds.
void ir_shorten_scans(struct ir_block *block);
