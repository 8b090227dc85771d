/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/macro.h"

static const char *const adjectives[] = {
	"able",	     "agile",	"amber",     "ample",	"apt",	    "arctic",	"balanced",
	"blithe",    "bold",	"brave",     "breezy",	"bright",   "brisk",	"calm",
	"candid",    "careful", "cheerful",  "civil",	"clear",    "clever",	"coastal",
	"cosy",	     "crisp",	"curious",   "daring",	"deft",	    "diligent", "eager",
	"earnest",   "easy",	"elegant",   "fair",	"fearless", "festive",	"fleet",
	"fluent",    "fond",	"frank",     "free",	"fresh",    "friendly", "gallant",
	"generous",  "gentle",	"glad",	     "golden",	"graceful", "hale",	"hardy",
	"honest",    "humble",	"inventive", "jolly",	"keen",	    "kind",	"lively",
	"loyal",     "lucid",	"mellow",    "merry",	"mild",	    "modest",	"neat",
	"nimble",    "noble",	"patient",   "placid",	"plucky",   "polite",	"prompt",
	"proud",     "quick",	"quiet",     "radiant", "ready",    "rustic",	"sage",
	"serene",    "sharp",	"silver",    "sincere", "smooth",   "snug",	"solid",
	"sparkling", "spry",	"steady",    "sturdy",	"sunny",    "swift",	"tidy",
	"tranquil",  "trusty",	"upbeat",    "valiant", "vivid",    "warm",	"wise",
	"witty",     "zesty",
};

/* People who gave computing, networks and mathematics something that is in use today. */
static const char *const surnames[] = {
	"abel",	     "adleman",	  "aho",       "aiken",	       "allen",	     "babbage",
	"backus",    "baran",	  "bartik",    "bayes",	       "bernoulli",  "boole",
	"brooks",    "burks",	  "cantor",    "cerf",	       "chomsky",    "church",
	"clarke",    "cocke",	  "codd",      "conway",       "cook",	     "corbato",
	"cray",	     "curry",	  "dahl",      "davies",       "descartes",  "diffie",
	"dijkstra",  "eckert",	  "engelbart", "erdos",	       "estrin",     "euclid",
	"euler",     "fermat",	  "floyd",     "fourier",      "galois",     "gauss",
	"germain",   "godel",	  "goldberg",  "gosper",       "gray",	     "hamilton",
	"hamming",   "hellman",	  "hilbert",   "hoare",	       "holberton",  "hollerith",
	"hopper",    "huffman",	  "iverson",   "jacquard",     "johnson",    "kahan",
	"kahn",	     "karp",	  "kay",       "keller",       "kernighan",  "kilburn",
	"kleene",    "kleinrock", "knuth",     "kovalevskaya", "lamarr",     "lamport",
	"lampson",   "leibniz",	  "licklider", "liskov",       "lovelace",   "mauchly",
	"mccarthy",  "merkle",	  "metcalfe",  "milner",       "minsky",     "naur",
	"neumann",   "newell",	  "noether",   "nygaard",      "pascal",     "perlis",
	"perlman",   "postel",	  "rabin",     "ramanujan",    "riemann",    "ritchie",
	"rivest",    "roberts",	  "sammet",    "scott",	       "shamir",     "shannon",
	"simon",     "spence",	  "stallman",  "stibitz",      "sutherland", "tarjan",
	"thompson",  "torvalds",  "turing",    "ulam",	       "wiener",     "wilkes",
	"wilkinson", "wing",	  "wirth",     "yao",	       "zuse",
};

static int random_bytes(void *data, size_t n, struct error *err)
{
	/* up to 256 bytes come at once and uninterrupted: getrandom(2) */
	if (getrandom(data, n, 0) != (ssize_t)n)
		return error_sys(err, "cannot get random bytes");
	return 0;
}

static bool all_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return true;
}

int id_new(char ret[ID_LEN + 1], struct error *err)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[ID_LEN / 2];

	do {
		int r = random_bytes(raw, sizeof(raw), err);

		if (r < 0)
			return r;
		for (size_t i = 0; i < sizeof(raw); i++) {
			ret[2 * i] = hex[raw[i] >> 4];
			ret[2 * i + 1] = hex[raw[i] & 15];
		}
		ret[ID_LEN] = '\0';
	} while (all_digits(ret, ID_SHORT_LEN));
	return 0;
}

bool id_is_prefix(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n > 0 && n <= ID_LEN && s[n] == '\0';
}

bool id_is_full(const char *s)
{
	return id_is_prefix(s) && strlen(s) == ID_LEN;
}

bool id_name_is_valid(const char *name)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	if (!*name || !strchr(first, *name) || !name[1])
		return false;
	return name[strspn(name, rest)] == '\0';
}

int id_name_new(unsigned attempt, char ret[ID_NAME_MAX], struct error *err)
{
	uint32_t dice[3];
	const char *adjective, *surname;
	int r = random_bytes(dice, sizeof(dice), err);

	if (r < 0)
		return r;
	adjective = adjectives[dice[0] % ARRAY_SIZE(adjectives)];
	surname = surnames[dice[1] % ARRAY_SIZE(surnames)];
	if (attempt == 0)
		(void)snprintf(ret, ID_NAME_MAX, "%s_%s", adjective, surname);
	else /* ten times as many names at every attempt, bounded by the type */
		(void)snprintf(ret, ID_NAME_MAX, "%s_%s%u", adjective, surname,
			       attempt < 9 ? dice[2] % (attempt * 10) : dice[2]);
	return 0;
}
