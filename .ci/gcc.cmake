# Toolchain of the preset gcc: GCC 12 where there is one, else the gcc that there is.
find_program(CMAKE_C_COMPILER NAMES gcc-12 gcc REQUIRED)
find_program(CMAKE_CXX_COMPILER NAMES g++-12 g++)
