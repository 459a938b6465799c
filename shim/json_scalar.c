/* What numbers stand for, for those who ask after json_read(). */
#include "decimal.h"
#include "json.h"

/* The first 19 digits of more, and the power of ten that goes with them. True if what was cut off is
   not 0. */
static bool
cut_digits(const struct json_value *value, struct decimal *decimal)
{
    const char *end = value->text.ptr + value->text.len;
    int64_t power = value->power;
    int taken = 0;
    bool cut = false;
    decimal->digits = 0;
    for (const char *at = value->text.ptr; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '-' || *at == '.') {
            continue;
        }
        if (taken < 19) {
            decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
            taken += decimal->digits > 0;
        } else {
            power++;
            cut = cut || *at != '0';
        }
    }
    decimal->power = power;
    return cut;
}

bool
json_double(const struct json_value *value, double *number)
{
    struct decimal decimal = {value->digits, value->power};
    bool cut = value->long_text && cut_digits(value, &decimal);
    double above;
    if (!decimal_to_double(decimal, number)) {
        return false;
    }
    /* what both neighbours are read as is what all between them are read as */
    decimal.digits++;
    if (cut && (!decimal_to_double(decimal, &above) || above != *number)) {
        return false;
    }
    if (value->text.ptr[0] == '-') {
        *number = -*number;
    }
    return true;
}
