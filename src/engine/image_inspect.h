/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* docker's JSON of an image. */

struct buf;
struct engine;
struct image;

/* The object of `image inspect`, compact, appended. e: for the paths of the layers. */
void image_inspect_format(const struct engine *e, const struct image *image, struct buf *out);
