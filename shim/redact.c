/* What a key or a text must look like to be taken for a secret. It errs on the side of hiding. */
#include "redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char *const words[] = {"password",  "passwd",     "passphrase", "secret",
                                    "token",     "credential", "privatekey", "apikey",
                                    "accesskey", "authpayload"};

/* Does `word` stand at `text`, whatever case and punctuation it is written in? */
static bool
stands_at(const char *text, const char *word)
{
    for (; *word != '\0'; text++) {
        if (tolower((unsigned char)*text) == *word) {
            word++;
        } else if (*text == '\0' || strchr("._-", *text) == NULL) {
            return false;
        }
    }
    return true;
}

static bool
names_secret(const char *text)
{
    for (; *text != '\0'; text++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (stands_at(text, words[i])) {
                return true;
            }
        }
    }
    return false;
}

/* "//user:password@host", as in a URL. */
static bool
holds_login(const char *text)
{
    const char *login = strstr(text, "//");
    if (login == NULL) {
        return false;
    }
    size_t len = strcspn(login + 2, "/ ");
    return memchr(login + 2, '@', len) != NULL;
}

static bool
holds_secret(const char *text)
{
    return holds_login(text) || (strchr(text, '=') != NULL && names_secret(text));
}

static void
hide(json_t *value)
{
    if (json_is_string(value)) {
        json_string_set(value, "***");
    } else if (json_is_integer(value)) {
        json_integer_set(value, 0);
    } else if (json_is_real(value)) {
        json_real_set(value, 0);
    }
}

/* The depth is bounded by jansson's own limit to what it parses. */
static void
redact_value(json_t *value, bool secret)
{
    const char *key;
    json_t *member;
    size_t i;
    json_object_foreach (value, key, member) {
        redact_value(member, secret || names_secret(key));
    }
    json_array_foreach (value, i, member) {
        redact_value(member, secret);
    }
    if (secret || (json_is_string(value) && holds_secret(json_string_value(value)))) {
        hide(value);
    }
}

void
redact(json_t *conf)
{
    redact_value(conf, false);
}
