/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keys and signatures for test_policy.c and test_pubkey.c. Made once, as tests must not wait for keys:
 *
 *     gpg --quick-gen-key NAME ed25519 sign never; gpg -u NAME --sign TEXT; gpg --export NAME
 *     (old_*: gpg --faked-system-time 20200101T000000 ... sign 1y: the key expired)
 *     openssl ecparam -genkey -name prime256v1 / genrsa 2048 / genpkey -algorithm ed25519
 *     openssl dgst -sha256 -sign KEY TEXT / pkeyutl -sign -rawin -inkey KEY -in TEXT
 *
 * gpg's are in base64.
 */

static const char simple_text[] =
	"{\"critical\":{\"identity\":{\"docker-reference\":\"docker.io/library/app:1\"},\""
	"image\":{\"docker-manifest-digest\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},\"type\":\"atomic container signature\"},\"opti"
	"onal\":{\"creator\":\"test\"}}";

static const char cosign_text[] =
	"{\"critical\":{\"identity\":{\"docker-reference\":\"docker.io/library/app\"},\"i"
	"mage\":{\"docker-manifest-digest\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},\"type\":\"cosign container image signature\"},\""
	"optional\":null}";

static const char good_key[] =
	"mDMEawKVOBYJKwYBBAHaRw8BAQdAMEk+s6WQdNMsNmxbAB6zGg1rc/YzukeCI576nkHZOle0BGdvb2SIkAQT"
	"FggAOBYhBJRFIZcoXoCRLSrcH5VavNXZ67JqBQJrApU4AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ"
	"EJVavNXZ67JqGGgBAKfB8r1GlX4lw5ZS3DTkU6Gw8g1rrka4EcyDqoHno8egAQDU3XODBPnaOonw4SBrLLaR"
	"hWvPXQvJygcdEOmb73CNCQ==";

static const char good_message[] =
	"owGbwMvMwCE2NWrP1ZuvN2UxrmXkSOIuzswtyEnVyyrOz8tmmmpRrZRclFmSmZyYo2RVrZSZkppXkllSCWKn"
	"5CdnpxbpFqWmpRal5iWnKllBhfQy8/VzMpOKEosq9RMLCqwMlWp1lDJzE9NTkbTlJuZlpqUWl+imZKYDKaDm"
	"4oxEI1Mzq0QKAciyksoCkHMSS/JzM5MVkvPzShIz81KLFIoz0/MSS0qLUkGK8gtKMvPzIP5KLkoFKi4C6ikB"
	"Oaa2tqOUhUGMg0FWTJFliqvidI24hom6WnfkYUHFygQKGwYuTgGYyGMdhv/Ru94o2C+3PX66PaSoyV6XYdPr"
	"2p2mrmFmq2cvrVvDdPsZI8OxYq+mtXfLWiVrJGxNz7oXzpu/7rvZbjOHLd8y84rb+NkB";

static const char both_message[] =
	"owGbwMvMwCG2o3n5kUtM7acYJoC5U6P2XL35elMW41pGjiTu4szcgpxUvazi/LxspqkW1UrJRZklmcmJOUpW"
	"1UqZKal5JZkllSB2Sn5ydmqRblFqWmpRal5yqpIVVEgvM18/JzOpKLGoUj+xoMDKUKlWRykzNzE9FUlbbmJe"
	"ZlpqcYluSmY6kAJqLs5INDI1s0qkEIAsK6ksADknsSQ/NzNZITk/ryQxMy+1SKE4Mz0vsaS0KBWkKL+gJDM/"
	"D+Kv5KJUoOIioJ4SkGNqaztKWRjEOBhkxRRZprgqTteIa5ioq3VHHhZUrEygsGHg4hSAiTzWYfgfveuNgv1y"
	"2+On20OKmux1GTa9rt1p6hpmtnr20ro1TLefMTIcK/ZqWnu3rFWyRsLW9Kx74bz5676b7TZz2PItM6+4jZ8d"
	"ydrIp/qXWmeGn9ihbBgOizCEtTCRgimMDCe/2xQqBMU6eWhYuXgf9OqcOGtj5pKUR7sWyW794GKi08zI0LM6"
	"cWPfJcWN0066us3WV/AvO/srsrKNr+P814OT2grP8QEA";

static const char old_key[] =
	"mDMEXgvhABYJKwYBBAHaRw8BAQdAYApvWJbLueI4yFtWND7QaVGUuT+T5AQ2a032yxZ98ym0A29sZIiWBBMW"
	"CAA+FiEE3qfDIWT3uoSaiaCwT/yKCdoz9X8FAl4L4QACGwMFCQHhM4AFCwkIBwIGFQoJCAsCBBYCAwECHgEC"
	"F4AACgkQT/yKCdoz9X/F8QEApAYF61hn9Mp/02Mw4eL0Q/hYuEkYBXGiqdfJK5nxtz0A/jE3vAcCK5FUu51h"
	"3HVN0OMhg91RBHwn8CG8Pe6JlU8J";

static const char old_message[] =
	"owGbwMvMwCHm/6eL85bx13rGtYwcSdzFmbkFOal6WcX5eXEm+xuqlZKLMksykxNzlKyqlTJTUvNKMksqQeyU"
	"/OTs1CLdotS01KLUvORUJSuokF5mvn5OZlJRYlGlfmJBgZWhUq2OUmZuYnoqkrbcxLzMtNTiEt2UzHQgBdRc"
	"nJFoZGpmlUghAFlWUlkAck5iSX5uZrJCcn5eSWJmXmqRQnFmel5iSWlRKkhRfkFJZn4exF/JRalAxUVAPSUg"
	"x9TWdpSyMIhxMMiKKbLcW35YMeX7rpZZnQs2wIKKlQkUNgxcnAIwkesvGBm2fbEvfsR8PHvC2SoXNffe0pbo"
	"oxdFuqZI+ba//vuaweATwz+7/I4z5yqluJvelN2Z+eNRuse6J3nqEXN1Rb/fePfV+zETAA==";

static const char ec_key[] = "-----BEGIN PUBLIC KEY-----\n"
			     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8fEK7fMkzpb1rxDESPn0MaZqu+9D\n"
			     "qRK4tsZRTdzuet3K/VmIM9YPbhXaVqazOJQrQg1pZCC8edDjuScr42Iivw==\n"
			     "-----END PUBLIC KEY-----\n";

static const char ec_signature[] =
	"MEQCIECj4zDtylVHjzfLT8uMrxMumFyAJPajakJRroveXjjPAiA0H2KrtUzh0eA0WNB8HbCZP82iES82Lnl0"
	"yjkGqf4T0Q==";

static const char rsa_key[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7WGJ9c5eXgg49ZMk0KKv\n"
			      "wxd6KAHmfh7aKK7ChwxOb6ZwejdaUNrA2pt6RLuqlDVgGJyPuZ+h5ZHzT69+Q7fm\n"
			      "0pxtlvRcbjv/dwb9y4R/1N7AuGWkGYgeXC04KF/Csas5SA14MzE4B7/SrON2HfeC\n"
			      "gHsiE/K7VxhprxVbE6WxblmWx0kZZTy1N/iVrzC9H0aVlFfB2P+lFWb0CrCSGsGH\n"
			      "ZGB8oRxJPYL4IzTPsDGSsnfVL7yh2x8rtHI41P8XwxRtEnk3Ym34iRRGQF1WqHNU\n"
			      "tW9TJ/GAUEuFmqWG0iz5yFfDZ6d8lpt8Et87uJa1cb8Dn3ueVKgbpr6fuK7aZQGh\n"
			      "3QIDAQAB\n"
			      "-----END PUBLIC KEY-----\n";

static const char rsa_signature[] =
	"xGgyDf9Q/7Zt7infmnYhP6hZCHuiwJO5E8+1p6I9QEObi7lW9vcs11Y5LVJOaM5eNuKs0aw4H6pwxdINnxNT"
	"cOAQ/nA1taw3ROM9eIlK3lHD5C9dCtCazwEOPe1rpNCC/rOBimiO+szZoHzZ49t5HJi/vo5j6OZRF5X2szA7"
	"iGsr8gZkfX1ABCtaQ5kredwP3Q/e9IVej8ftakgshrep7aYBZoU4OB/1fDXImjcs1zbznQKTfZjZRtjhdTwD"
	"rkW59RH4dOoEa5e+IJyClFXzSpUa1zfyzt/WcS1OUWU/a6xncqaMhVDFeiGnqOpIXBi1iYezjhpBkGNKO8e+"
	"Rm6ewg==";

static const char ed_key[] = "-----BEGIN PUBLIC KEY-----\n"
			     "MCowBQYDK2VwAyEA9JZMjC9GdE/I+IPT5t2T+nDnNHNpaaotdJq763yCaR8=\n"
			     "-----END PUBLIC KEY-----\n";

static const char ed_signature[] =
	"rbg9ETZWtrLVhEJ5dckdbU5JlR7gdMmZwrS2ayqvoLIYAQ6TGUwlIC5pP1rXi3yt++NyjDa/uO780keRHicT"
	"CA==";

static const char x25519_key[] = "-----BEGIN PUBLIC KEY-----\n"
				 "MCowBQYDK2VuAyEAN3ytUz7Tg9Wh52dE8Eb2bzknuzx9SJB2x8teobWYbj4=\n"
				 "-----END PUBLIC KEY-----\n";

/* head -c 16M /dev/zero | gpg --compress-algo bzip2 --sign, by a key that nobody has */
static const char large_message[] =
	"owNCWmg2MUFZJlNZeqK0+wIUNn///3JVBToLBIrMMezIEsh9IwhoaJKiQBwI0AlEgFvDHIiwANmzGepAAAA0"
	"AAAABoADTQ0G1Bo9RkbUK9VAAABiAAaANDTRoDQBoAAAAFUqjINGhoAPU0AAGgBk0AADQAAArf0AAL/4iIiI"
	"iIiXEABAV2vMlAAsaFglAABU96lpL1lvuTpMWvkkmGmYlWEt+lUWSS1JHKggAAAAvNJorpbuK636us6Oj6N5"
	"LSZqeO6HlLJq8bBuFFA+m1GjrAIuLj7IK8yhHi5Cx9+6bc7ias7F1hpkF0RH9BuUqYhPaoyElbQwOk8vZw/S"
	"fz9aKAAAAAAYHkI8OMIqBKwAAJ1D+/xdyRThQkHqitPs";
