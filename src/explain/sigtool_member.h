/* How --unpack hands out what is in a container: one member behind the other, each as
 *   OFFSET SIZE MEANING
 *   0      100  name, filled with NUL
 *   100    8    size, little-endian
 *   108    size its bytes */
#ifndef VITRINE_EXPLAIN_SIGTOOL_MEMBER_H
#define VITRINE_EXPLAIN_SIGTOOL_MEMBER_H

#define SIGTOOL_MEMBER_NAME 100
#define SIGTOOL_MEMBER_HEAD (SIGTOOL_MEMBER_NAME + 8)

#endif
