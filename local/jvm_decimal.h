/* Java's BigDecimal, which json-smart makes of a float's text of more than 18 characters. It keeps every digit,
   has no bounds that matter, and no sign at zero. */
#ifndef STORMCELL_LOCAL_JVM_DECIMAL_H
#define STORMCELL_LOCAL_JVM_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "fault.h"

enum { JVM_DOUBLE_TEXT_MAX = 18 }; /* a float of no more characters is a Double */

struct jvm_decimal {
    bool negative;
    struct slice digits; /* borrowed from the text: there may be a point among them */
    int32_t scale; /* how many of them stand behind the point; less than 0: zeros to be added */
};

/* Of a JSON number's text. 0, or -1 with FAULT_LIMIT: its exponent is past what Java takes. */
int jvm_decimal(struct slice text, struct jvm_decimal *decimal, struct fault *fault);

/* Append BigDecimal.toString(): an integer where the scale is 0, whatever the text was. 0 or -1. */
int jvm_decimal_write(const struct jvm_decimal *decimal, struct buffer *out, struct fault *fault);

#endif
