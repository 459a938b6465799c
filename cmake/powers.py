"""Writes the powers of ten that shim/decimal.c multiplies with, as a table in C: each as 128 bits of
which the top one is set, rounded up."""
import sys

# What the smallest normal double needs with 19 digits to read it, and what the smallest double needs
# to write it.
LOWEST, HIGHEST = -326, 324


def top_bits(power: int) -> int:
    """10 ** power * 2 ** n, for the one n that makes it 128 bits long."""
    if power < 0:
        divisor = 10 ** -power
        return -(-(1 << divisor.bit_length() + 127) // divisor)
    value = 10 ** power
    spare = 128 - value.bit_length()
    return value << spare if spare >= 0 else -(-value >> -spare)


def table():
    yield '/* Made by cmake/powers.py. */'
    yield f'enum {{ LOWEST_POWER = {LOWEST}, HIGHEST_POWER = {HIGHEST} }};'
    yield 'static const struct power powers[] = {'
    for power in range(LOWEST, HIGHEST + 1):
        bits = top_bits(power)
        assert bits.bit_length() == 128
        yield f'    {{0x{bits >> 64:016x}, 0x{bits & 2**64 - 1:016x}}}, /* 1e{power} */'
    yield '};'


with open(sys.argv[1], 'w', encoding='ascii') as header:
    header.writelines(line + '\n' for line in table())
