/* spec/core/sha256_test.c - digests and signatures against published vectors, and every length around the ends of
** blocks. */
#include "spec/support/spec.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/sha256.h"

/* The vectors of FIPS 180-4 and its examples. */
static void
gives_the_published_digests(void **state)
{
  static const struct {
    const char *text, *digest;
  } vectors[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijk"
      "lmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
  };
  char hex[RILLE_SHA256_HEX + 1];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(vectors); i++) {
    rille_sha256_hex(rille_str_of(vectors[i].text), hex);
    assert_string_equal(hex, vectors[i].digest);
  }
  rille_sha256_hex((rille_str){ 0 }, hex);
  assert_string_equal(hex, vectors[0].digest);
}

static void
gives_the_published_digest_of_a_million_letters(void **state)
{
  char *text = malloc(1000000), hex[RILLE_SHA256_HEX + 1];

  (void)state;
  memset(text, 'a', 1000000);
  rille_sha256_hex((rille_str){ text, 1000000 }, hex);
  assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  free(text);
}

/* The digest of `len` bytes, the i-th of which is 7 i + len. */
static void
digest_of_length(size_t len, char hex[RILLE_SHA256_HEX + 1])
{
  char bytes[131], *exact;

  for (size_t i = 0; i < len; i++)
    bytes[i] = (char)(unsigned char)(7 * i + len);
  exact = spec_exact(bytes, len);
  rille_sha256_hex((rille_str){ exact, len }, hex);
  free(exact);
}

/* By sha256sum. */
static void
pads_every_length_right(void **state)
{
  static const struct {
    size_t len;
    const char *digest;
  } vectors[] = {
    { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { 1, "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a" },
    { 55, "81afe5b788dc2ce138ff83d9b20164db75a94d75d2b2432eea4a0ef605088c72" },
    { 56, "2aba54f0ac632420a2b502431408866e40e1d5e430df4cd822642c78ab2eb9c1" },
    { 57, "903284efbf9100e8ba1614ec65eacacad125e03f857cae7acbf8b73b23e0fdfe" },
    { 63, "733d3d4ee79ee67145bf73da13588f6f235d37414fc64b14a2f00f1762792f5e" },
    { 64, "79322907b3e9d013d7dc2c2f256674dbf733045cde01df3539271c6f5605feb8" },
    { 65, "d85c007c6eb440f085afa2b84f6f2bce4658b240e9f62cb1364bf0485a57e720" },
    { 119, "6c87eedf096b345de205b702e5223b73b447a3207791ded3ea007ba15ed6736e" },
    { 120, "42500cf6a1e3936d6b9e0bcfe296d654b63255e525487d3634d0b15fde591c4d" },
    { 127, "68f6ff710276900c0ffbbc57426f67e00c2e01f0750c7edc25ac06b8ce7a8095" },
    { 128, "489d55fea9a73af36b6dd0be7b4117d8e5683386d39544e8a44c99a87f368707" },
    { 129, "4e1556b2e9a50a3cc9478f3254727b01065f9ac5d2c3a8b4cd538ae7240bb87d" },
  };
  char hex[RILLE_SHA256_HEX + 1], all[131 * RILLE_SHA256_HEX + 1];

  (void)state;
  for (size_t i = 0; i < SPEC_COUNT(vectors); i++) {
    digest_of_length(vectors[i].len, hex);
    assert_string_equal(hex, vectors[i].digest);
  }
  for (size_t len = 0; len < 131; len++)
    digest_of_length(len, all + len * RILLE_SHA256_HEX);
  rille_sha256_hex(rille_str_of(all), hex);
  assert_string_equal(hex, "28d1b7ee925817a15dd4e0403443c1e6e8a70428aa0fdbe7d0e41757c5102ffb");
}

/* The vectors 1, 2, 3 and 6 of RFC 4231, section 4. */
static void
signs_as_published(void **state)
{
  char key[131], text[50];
  struct {
    rille_str key, text;
    const char *signature;
  } vectors[] = {
    { { key, 20 }, rille_str_of("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { rille_str_of("Jefe"), rille_str_of("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { { key, 20 }, { text, 50 }, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { { key, 131 },
      rille_str_of("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
  };
  unsigned char out[RILLE_SHA256_BYTES];

  (void)state;
  memset(text, 0xdd, sizeof text);
  for (size_t i = 0; i < SPEC_COUNT(vectors); i++) {
    memset(key, i == 0 ? 0x0b : 0xaa, sizeof key);
    rille_hmac_sha256(vectors[i].key, vectors[i].text, out);
    for (size_t j = 0; j < sizeof out; j++) {
      char hex[3];

      (void)snprintf(hex, sizeof hex, "%02x", out[j]);
      assert_memory_equal(hex, vectors[i].signature + 2 * j, 2);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(gives_the_published_digests),
    cmocka_unit_test(gives_the_published_digest_of_a_million_letters),
    cmocka_unit_test(pads_every_length_right),
    cmocka_unit_test(signs_as_published),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
