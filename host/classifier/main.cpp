// SPDX-License-Identifier: Apache-2.0
//
// attn_train: trains, tests, applies and explains the text classifier.
#include "classifier/commands/commands.h"

int main(int argc, char** argv) { return attn::classifier::run_program(argc, argv); }
