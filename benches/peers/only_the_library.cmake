# Read by CMake after llama.cpp's project(): leaves out the helpers of its command-line tools, half of
# the build, which nothing here calls. The library itself is compiled with the same flags as ever.
set(LLAMA_BUILD_COMMON OFF)
