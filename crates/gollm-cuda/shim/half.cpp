// f16 in software: IEEE 754 binary16, rounding to nearest, ties to even.
#include "cuda.hpp"

float half_to_float(unsigned short bits) {
    unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 0) { // zero and subnormal numbers: multiples of 2^-24
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) // infinite, or not a number
        return __uint_as_float(sign | 0x7f800000u | fraction << 13);
    return __uint_as_float(sign | (exponent + 112) << 23 | fraction << 13);
}

unsigned short float_to_half(float value) {
    unsigned bits;
    memcpy(&bits, &value, 4);
    unsigned short sign = (unsigned short)(bits >> 16 & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return 0x7fff; // what `cvt` gives for any NaN
    if (bits >= 0x477ff000u)
        return sign | 0x7c00; // rounds to 65,536 or more
    if (bits < 0x38800000u) { // below the smallest normal number: adding 2^-1 leaves multiples of 2^-24
        float magnitude = __uint_as_float(bits) + 0.5f;
        unsigned rounded;
        memcpy(&rounded, &magnitude, 4);
        return sign | (unsigned short)(rounded - 0x3f000000u);
    }
    unsigned odd = bits >> 13 & 1;
    return sign | (unsigned short)((bits - 0x38000000u + 0xfffu + odd) >> 13);
}
