# SPDX-License-Identifier: MIT
"""Compares public keys that are points of an elliptic curve: `04 x y`, or compressed `02 x` and `03 x` (SEC 1, 2.3.3)."""

#: Bytes of a coordinate -> (prime, b) of y^2 = x^3 - 3x + b, for P-256, P-384 and P-521 (FIPS 186-4, D.1.2).
_CURVES = {
    32: (
        (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    48: (
        (1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    ),
    66: (
        (1 << 521) - 1,
        int(
            "0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF07"
            "3573DF883D2C34F1EF451FD46B503F00",
            16,
        ),
    ),
}


def same_point(one, other):
    """Whether two points (bytes) are the same; one of them may be compressed. False if one of them is not a point."""
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    size = len(one) - 1  # bytes of a coordinate, if `one` is the compressed point
    if size not in _CURVES or one[0] not in (2, 3) or len(other) != 1 + 2 * size or other[0] != 4:
        return False
    if one[1:] != other[1 : 1 + size] or other[-1] & 1 != one[0] & 1:
        return False
    prime, b = _CURVES[size]
    x, y = int.from_bytes(one[1:], "big"), int.from_bytes(other[1 + size :], "big")
    return y < prime and (y * y - x * x * x + 3 * x - b) % prime == 0
