#include "jvm_decimal.h"

#include "json.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* What stands behind the e; what does not fit 32 bits is given as one that does not. */
static int64_t
exponent(struct slice text)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len && number <= INT32_MAX; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') {
            number = number * 10 + (text.ptr[i] - '0');
        }
    }
    return text.len > 0 && text.ptr[0] == '-' ? -number : number;
}

static int
too_large(struct slice text, struct fault *fault)
{
    return fault_set(fault, FAULT_LIMIT, 0, "the exponent of %.*s%s is past what Java takes",
                     (int)(text.len < 40 ? text.len : 40), text.ptr, text.len > 40 ? "..." : "");
}

int
jvm_decimal(struct slice text, struct jvm_decimal *decimal, struct fault *fault)
{
    bool negative = text.ptr[0] == '-';
    struct slice digits = {text.ptr + negative, 0};
    size_t rest = text.len - negative;
    int64_t scale = 0;
    bool behind = false;
    while (digits.len < rest && (digits.ptr[digits.len] | 0x20) != 'e') {
        scale += behind;
        behind = behind || digits.ptr[digits.len] == '.';
        digits.len++;
    }
    if (digits.len < rest) {
        int64_t power =
            exponent((struct slice){digits.ptr + digits.len + 1, rest - digits.len - 1});
        if (power != (int32_t)power) {
            return too_large(text, fault);
        }
        scale -= power;
    }
    *decimal = (struct jvm_decimal){negative, digits, (int32_t)scale};
    return scale == (int32_t)scale ? 0 : too_large(text, fault);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The digits without the point and the zeros before them, but at least one. */
static int
significant(const struct jvm_decimal *decimal, struct buffer *out, struct fault *fault)
{
    char *to = buffer_room(out, decimal->digits.len + 1, fault);
    if (to == NULL) {
        return -1;
    }
    for (size_t i = 0; i < decimal->digits.len; i++) {
        char digit = decimal->digits.ptr[i];
        if (digit != '.' && (digit != '0' || to > out->data)) {
            *to++ = digit;
        }
    }
    if (to == out->data) {
        *to++ = '0';
    }
    out->len = (size_t)(to - out->data);
    return 0;
}

/* 12.34, 0.0012 */
static int
write_plainly(struct slice digits, size_t scale, struct buffer *out, struct fault *fault)
{
    size_t whole = digits.len > scale ? digits.len - scale : 0;
    struct slice before = whole > 0 ? (struct slice){digits.ptr, whole} : SLICE("0");
    if (buffer_append(out, before, fault) < 0 || buffer_append(out, SLICE("."), fault) < 0) {
        return -1;
    }
    for (size_t zeros = scale; zeros > digits.len; zeros--) {
        if (buffer_append(out, SLICE("0"), fault) < 0) {
            return -1;
        }
    }
    return buffer_append(out, (struct slice){digits.ptr + whole, digits.len - whole}, fault);
}

/* 1.234E+30 */
static int
write_with_power(struct slice digits, int64_t power, struct buffer *out, struct fault *fault)
{
    struct slice more = {digits.ptr + 1, digits.len - 1};
    struct slice point = more.len > 0 ? SLICE(".") : SLICE("");
    if (buffer_append(out, (struct slice){digits.ptr, 1}, fault) < 0 ||
        buffer_append(out, point, fault) < 0 || buffer_append(out, more, fault) < 0 ||
        buffer_append(out, power > 0 ? SLICE("E+") : SLICE("E"), fault) < 0) {
        return -1;
    }
    return json_write_int(out, power, fault);
}

static int
write_digits(struct slice digits, int32_t scale, struct buffer *out, struct fault *fault)
{
    int64_t power = (int64_t)digits.len - 1 - scale;
    if (scale == 0) {
        return buffer_append(out, digits, fault);
    }
    if (scale > 0 && power >= -6) {
        return write_plainly(digits, (size_t)scale, out, fault);
    }
    return write_with_power(digits, power, out, fault);
}

int
jvm_decimal_write(const struct jvm_decimal *decimal, struct buffer *out, struct fault *fault)
{
    struct buffer kept = {0};
    int result = significant(decimal, &kept, fault);
    struct slice digits = {kept.data, kept.len};
    if (result == 0 && decimal->negative && digits.ptr[0] != '0') {
        result = buffer_append(out, SLICE("-"), fault);
    }
    if (result == 0) {
        result = write_digits(digits, decimal->scale, out, fault);
    }
    buffer_deinit(&kept);
    return result;
}
