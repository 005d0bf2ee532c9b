// cmocka, after the headers that it needs.
#pragma once
// clang-format off: in this order
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
