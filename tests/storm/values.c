/* What the engine makes of a tuple's values, line by line as Values.java tells what Storm does. */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "jvm_hash.h"
#include "jvm_values.h"

enum { VALUES_MAX = 4096 };

/* Arrays.deepHashCode of the elements, as they were before they were written on. */
static int
hash_elements(struct slice array, int32_t *hash, struct fault *fault)
{
    struct json_reader reader = json_reader(array, fault);
    struct json_value bracket;
    struct slice element;
    uint32_t sum = 1;
    int more = json_read(&reader, &bracket);
    for (bool first = true; more >= 0 && (more = json_element(&reader, first)) > 0; first = false) {
        if (json_skip(&reader, &element) < 0 || jvm_hash(element, hash, fault) < 0) {
            return -1;
        }
        sum = 31 * sum + (uint32_t)*hash;
    }
    *hash = (int32_t)sum;
    return more;
}

static void
answer(struct slice array, struct buffer *rewritten)
{
    static struct slice values[VALUES_MAX];
    struct fault fault = {0};
    size_t count;
    int32_t hash = 0;
    bool flat = jvm_values_flat(array, values, VALUES_MAX, &count);
    rewritten->len = 0;
    if ((!flat && jvm_values(array, rewritten, &fault) < 0) ||
        hash_elements(array, &hash, &fault) < 0) {
        puts("refused");
        return;
    }
    struct slice text = flat ? array : (struct slice){rewritten->data, rewritten->len};
    printf("%d\t%.*s\n", hash, (int)text.len, text.ptr);
}

int
main(void)
{
    struct buffer rewritten = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&line, &room, stdin)) > 0) {
        answer((struct slice){line, (size_t)len - (line[len - 1] == '\n')}, &rewritten);
    }
    free(line);
    buffer_deinit(&rewritten);
    return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
