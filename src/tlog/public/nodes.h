/* Between the public trees and the public tiles. */
#ifndef VITRINE_TLOG_PUBLIC_NODES_H
#define VITRINE_TLOG_PUBLIC_NODES_H

#include "tlog/public/common.h"

/* Whether these are the nodes of a tile reader; then those inside it. */
bool public_tile_reader_nodes(const struct vitrine_tlog_nodes *n, struct tlog_nodes *ret);

#endif
