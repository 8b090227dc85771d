/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/state.h"

#include "base/macro.h"
#include "codec/json.h"
#include "oci/field.h"

static const struct oci_word statuses[] = {
	{ "created", OCI_STATUS_CREATED }, { "creating", OCI_STATUS_CREATING },
	{ "paused", OCI_STATUS_PAUSED },   { "running", OCI_STATUS_RUNNING },
	{ "stopped", OCI_STATUS_STOPPED },
};
static const struct oci_words status_words = OCI_WORDS("status", statuses);

static const struct oci_field state_fields[] = {
	{ FIELD_STRING("ociVersion", oci_state, version), .required = true },
	{ FIELD_STRING("id", oci_state, id), .required = true },
	{ FIELD_I32("pid", oci_state, pid), .always = true },
	{ FIELD_WORD("status", oci_state, status, enum oci_status, status_words),
	  .required = true },
	{ FIELD_STRING("bundle", oci_state, bundle), .required = true },
	{ FIELD_STRING("rootfs", oci_state, rootfs) },
	{ FIELD_STRING("created", oci_state, created) },
	{ FIELD_PAIRS("annotations", oci_state, annotations, n_annotations) },
	{ FIELD_STRING("owner", oci_state, owner) },
};
static const struct oci_table state_table = OCI_TABLE(state_fields, sizeof(struct oci_state));

const char *oci_status_name(enum oci_status status)
{
	return oci_words_name(&status_words, (int)status);
}

int oci_state_parse(const char *json, size_t len, struct arena *arena, struct oci_state *ret_state,
		    struct error *err)
{
	struct oci_state state = { 0 };
	int r = oci_document_parse(&state_table, json, len, arena, &state, err);

	if (r < 0)
		return error_prefix(err, r, "state");
	*ret_state = state;
	return 0;
}

static void add_state(const struct oci_state *state, struct json_writer *w)
{
	struct oci_state s = *state;

	if (!s.version)
		s.version = OCI_VERSION;
	json_begin_object(w, NULL);
	oci_table_format(&state_table, &s, w);
	json_end(w);
}

void oci_state_format(const struct oci_state *state, const char *indent, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, indent);
	add_state(state, &w);
}

void oci_states_format(const struct oci_state *states, size_t n, struct buf *out)
{
	struct json_writer w;

	json_writer_init(&w, out, NULL);
	json_begin_array(&w, NULL);
	for (size_t i = 0; i < n; i++)
		add_state(&states[i], &w);
	json_end(&w);
}
