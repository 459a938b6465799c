/* The codec: jansson reads the same from the same text and from what our writer makes of it;
   skipping goes as far as reading; strings come out as Unicode and go in as any bytes. */
#include <stdint.h>

#include "guarded.h"
#include "json_scan.h"
#include "oracle.h"
#include "require.h"
#include "tree.h"
#include "utf8.h"

static struct guarded memory; /* kept from one input to the next */

/* UTF-8 in which surrogates may stand, but no two of them that make a pair. */
static bool
is_wtf8(struct slice bytes)
{
    uint32_t before = 0;
    for (size_t at = 0; at < bytes.len;) {
        uint32_t point;
        size_t len = utf8_get(bytes.ptr + at, bytes.len - at, &point);
        if (len == 0 ||
            (before >= 0xd800 && before < 0xdc00 && point >= 0xdc00 && point < 0xe000)) {
            return false;
        }
        before = point;
        at += len;
    }
    return true;
}

/* Undoing the escapes on the way comes to the same as doing it afterwards. */
static void
check_unescaped_reading(struct slice text, bool readable, struct slice expected)
{
    struct buffer unescaped = {0};
    struct json_reader reader = json_reader(text, NULL);
    reader.unescaped = &unescaped;
    struct json_value string;
    REQUIRE((json_read(&reader, &string) == 0) == readable);
    REQUIRE(!readable || slice_equal(string.text, expected));
    for (size_t i = 0; readable && string.ascii && i < string.text.len; i++) {
        REQUIRE((unsigned char)string.text.ptr[i] < 0x80);
    }
    buffer_deinit(&unescaped);
}

static void
check_block(const char *at)
{
    struct scan_block block = scan_block(at);
    struct scan_block portable = scan_block_portable(at);
    for (int i = 0; i < 64; i++) {
        unsigned char c = (unsigned char)at[i];
        REQUIRE(((block.slashes >> i) & 1) == (c == '\\'));
        REQUIRE(((block.ends >> i) & 1) == (c == '"' || c < 0x20));
        REQUIRE(((block.high >> i) & 1) == (c >= 0x80));
    }
    REQUIRE(block.slashes == portable.slashes && block.ends == portable.ends &&
            block.high == portable.high);
}

/* Both ways to look at 16 bytes, and one byte after the other, agree; and so with 64. */
static void
check_scan(struct slice text)
{
    const char *end = text.ptr + text.len;
    for (const char *at = text.ptr; end - at >= 16; at++) {
        for (int writing = 0; writing < 2; writing++) {
            uint64_t high[3] = {0};
            const char *slowly = scan_slowly(at, at + 16, writing, &high[0]);
            REQUIRE(scan_16(at, writing, &high[1]) == slowly);
            REQUIRE(scan_16_portable(at, writing, &high[2]) == slowly);
            REQUIRE((high[1] != 0) == (high[0] != 0) && (high[2] != 0) == (high[0] != 0));
        }
    }
    for (const char *at = text.ptr; end - at >= 64; at += 64) {
        check_block(at);
    }
    for (const char *at = text.ptr; at < end && at < text.ptr + 40; at++) {
        uint64_t high[2] = {0};
        REQUIRE(scan_run(at, end, true, &high[0]) == scan_slowly(at, end, true, &high[1]));
        REQUIRE((high[0] != 0) == (high[1] != 0));
    }
}

/* Read any text as the inside of a string. */
static void
check_unescape(struct slice text)
{
    struct buffer quoted = {0};
    struct buffer value = {0};
    REQUIRE(buffer_append(&quoted, SLICE("\""), NULL) == 0);
    REQUIRE(buffer_append(&quoted, text, NULL) == 0);
    REQUIRE(buffer_append(&quoted, SLICE("\""), NULL) == 0);
    struct slice inside = guarded_put(&memory, (struct slice){quoted.data, quoted.len});
    struct json_reader reader = json_reader(inside, NULL);
    struct json_value string;
    bool readable = json_read(&reader, &string) == 0;
    if (readable) {
        REQUIRE(string.type == JSON_TYPE_STRING);
        REQUIRE(reader.at == string.text.ptr + string.text.len + 1);
        tree_unescape(&string, &value);
        REQUIRE(value.len <= string.text.len);
        REQUIRE(string.escaped || slice_equal((struct slice){value.data, value.len}, string.text));
        if (json_utf8_length(string.text) == string.text.len) {
            REQUIRE(is_wtf8((struct slice){value.data, value.len}));
        }
    }
    check_unescaped_reading(inside, readable, (struct slice){value.data, value.len});
    buffer_deinit(&quoted);
    buffer_deinit(&value);
}

/* Any bytes become a string, and UTF-8 comes back from it. */
static void
check_write(struct slice bytes)
{
    struct buffer text = {0};
    REQUIRE(json_write_bytes(&text, bytes, NULL) == 0);
    json_t *theirs = oracle_load((struct slice){text.data, text.len});
    REQUIRE(json_is_string(theirs));
    if (json_utf8_length(bytes) == bytes.len) {
        json_t *expected = oracle_string(bytes);
        REQUIRE(json_equal(theirs, expected));
        json_decref(expected);
    }
    json_decref(theirs);
    buffer_deinit(&text);
}

/* `text` has been read: skipping and writing agree with that. */
static void
check_read(struct slice text, const json_t *value, bool foreign)
{
    struct json_reader reader = json_reader(text, NULL);
    struct slice span;
    REQUIRE(json_skip(&reader, &span) == 0);
    REQUIRE(json_finish(&reader) == 0);

    struct buffer again = {0};
    struct fault fault = {0};
    REQUIRE(tree_rewrite(text, &again, &fault) == 0);
    struct slice rewritten = {again.data, again.len};
    bool foreign_again;
    json_t *ours = tree_read(rewritten, &foreign_again, &fault);
    REQUIRE(ours != NULL);
    if (!foreign) {
        json_t *theirs = oracle_load(rewritten);
        REQUIRE(!foreign_again && json_equal(ours, value));
        REQUIRE(json_equal(theirs, value));
        json_decref(theirs);
    }
    json_decref(ours);
    buffer_deinit(&again);
}

static void
check_text(struct slice text)
{
    struct fault fault = {0};
    bool foreign;
    json_t *theirs = oracle_load(text);
    json_t *ours = tree_read(text, &foreign, &fault);
    REQUIRE((ours == NULL) == (fault.code != FAULT_NONE));
    REQUIRE(fault.offset <= text.len);
    if (ours != NULL) {
        REQUIRE(foreign == (theirs == NULL));
        REQUIRE(foreign || json_equal(ours, theirs));
        check_read(text, ours, foreign);
    } else if (theirs != NULL) {
        /* jansson nests deeper, and takes a NUL for the end of the text */
        REQUIRE(fault.code == FAULT_LIMIT || memchr(text.ptr, 0, text.len) != NULL);
    }
    json_decref(ours);
    json_decref(theirs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {size > 0 ? (const char *)data : "", size};
    struct slice skipped;
    check_text(guarded_put(&memory, text));
    struct json_reader reader = json_reader(guarded_put(&memory, text), NULL);
    if (json_skip(&reader, &skipped) == 0) {
        REQUIRE(reader.at == skipped.ptr + skipped.len);
    }
    check_unescape(text);
    check_scan(guarded_put(&memory, text));
    check_write(guarded_put(&memory, text));
    return 0;
}
