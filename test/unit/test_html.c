/* normal_html() against views that clamscan 1.4.6 made: each row is an input and its nocomment,
 * notags and javascript, and the message of its first data: URL. */
#include "base/num.h"
#include "normal/html.h"
#include "test/t.h"

struct bytes {
	const char *s;
	size_t len;
	bool none;
};

#define BYTES(x) {x, sizeof(x) - 1, false}
#define NONE     {"", 0, true}

struct vector {
	struct bytes in, nocomment, notags, javascript, data;
};

static const struct html_opts all = {.scripts = true};

static void same(const char *view, const struct bytes *in, const struct bytes *want,
                 const struct buf *got)
{
	if (want->none ? got != NULL : !got || got->len != want->len ||
	                                   (want->len && memcmp(got->data, want->s, want->len)))
		T_FAIL("%s of %.*s: %.*s is not %.*s", view, (int)in->len, in->s,
		       got ? (int)got->len : 4, got ? (const char *)got->data : "none", (int)want->len,
		       want->s);
}

static void check(const struct vector *v, size_t n)
{
	for (size_t i = 0; i < n; i++, v++) {
		struct html_views out;
		struct err e = {0};

		T_EQ(normal_html(rd_make(v->in.s, v->in.len), &all, &out, &e), ST_OK);
		same("nocomment", &v->in, &v->nocomment, &out.nocomment);
		same("notags", &v->in, &v->notags, &out.notags);
		same("javascript", &v->in, &v->javascript, out.has_script ? &out.javascript : NULL);
		same("data", &v->in, &v->data, out.n_data ? out.data : NULL);
		html_views_done(&out);
	}
}

static void text_is_lower_case_with_white_space_folded(void)
{
	static const struct vector v[] = {
		{BYTES("<html><body>Hello <b>World</b></body></html>\n"),
		 BYTES("<html><body>hello <b>world</b></body></html>"),
		 BYTES(" hello world "),
		 NONE,
		 NONE},
		{BYTES("<p>a  b\011\011c\015\n\015\nd</p>   e\n"),
		 BYTES("<p>a b c d</p>e"),
		 BYTES(" a b c d e "),
		 NONE,
		 NONE},
		{BYTES("<p>  x  </p>  <p>"),
		 BYTES("<p>x </p><p>"),
		 BYTES(" x "),
		 NONE,
		 NONE},
		{BYTES("x <b> y"),
		 BYTES("x <b>y"),
		 BYTES("x y"),
		 NONE,
		 NONE},
		{BYTES("a\013b\014c"),
		 BYTES("a b c"),
		 BYTES("a b c"),
		 NONE,
		 NONE},
		{BYTES("a \001 b"),
		 BYTES("a \001 b"),
		 BYTES("a b"),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void nul_and_carriage_return_are_dropped(void)
{
	static const struct vector v[] = {
		{BYTES("a\000b\015c"),
		 BYTES("abc"),
		 BYTES("abc"),
		 NONE,
		 NONE},
		{BYTES("\015\n"),
		 BYTES(""),
		 BYTES(""),
		 NONE,
		 NONE},
		{BYTES("\000 <a b=\"c\000d\">"),
		 BYTES("<a b=\"cd\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<scr\000ipt>a</script>b"),
		 BYTES("<script>a</script>b"),
		 BYTES(" b"),
		 BYTES("<script>a</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void control_bytes_are_blanks_in_notags_only(void)
{
	static const struct vector v[] = {
		{BYTES("a\001b"),
		 BYTES("a\001b"),
		 BYTES("a b"),
		 NONE,
		 NONE},
		{BYTES("a\001\002b\177"),
		 BYTES("a\001\002b\177"),
		 BYTES("a b\177"),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void wide_bytes_are_shown_in_threes(void)
{
	static const struct vector v[] = {
		{BYTES("x\200y"),
		 BYTES("x\200y"),
		 BYTES("x\000y"),
		 NONE,
		 NONE},
		{BYTES("x\303\251y"),
		 BYTES("x\303\251y"),
		 BYTES("x\303\303y"),
		 NONE,
		 NONE},
		{BYTES("x\342\200\231y"),
		 BYTES("x\342\200\231y"),
		 BYTES("x\342\200\200y"),
		 NONE,
		 NONE},
		{BYTES("x\342\200\231\342y"),
		 BYTES("x\342\200\231\342y"),
		 BYTES("x\342\200\200\000y"),
		 NONE,
		 NONE},
		{BYTES("<p>\351\350 b"),
		 BYTES("<p>\351\350 b"),
		 BYTES(" \351\351b"),
		 NONE,
		 NONE},
		{BYTES("a\351"),
		 BYTES("a"),
		 BYTES("a"),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c\350\351 d\">"),
		 BYTES("<a b=\"c \350\351d\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=\"\351\350\">x<a c=\"d\">y"),
		 BYTES("<a b=\"\">x<a c=\"\351\350d\">y"),
		 BYTES(" x y"),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void a_comment_ends_at_the_first_bracket(void)
{
	static const struct vector v[] = {
		{BYTES("a<!-- b --> c"),
		 BYTES("ac"),
		 BYTES("a c"),
		 NONE,
		 NONE},
		{BYTES("<!-- a > b -->x"),
		 BYTES("b -->x"),
		 BYTES(" b -->x"),
		 NONE,
		 NONE},
		{BYTES("<!DOCTYPE html [ <!ENTITY a \"b\"> ]>x"),
		 BYTES("]>x"),
		 BYTES(" ]>x"),
		 NONE,
		 NONE},
		{BYTES("<!--[if IE]><b>x</b><![endif]-->y"),
		 BYTES("<b>x</b>y"),
		 BYTES(" x y"),
		 NONE,
		 NONE},
		{BYTES("<![CDATA[ some <b>data</b> ]]>x"),
		 BYTES("data</b>]]>x"),
		 BYTES(" data ]]>x"),
		 NONE,
		 NONE},
		{BYTES("<!-- a"),
		 BYTES(""),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("< ! a>x"),
		 BYTES("x"),
		 BYTES(" x"),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void tags_are_written_anew(void)
{
	static const struct vector v[] = {
		{BYTES("<A  HREF = \"Http://X.Y/Z\"  Class=Foo  checked >T</A  >"),
		 BYTES("<a href=\"http://x.y/z\" class=foo checked>t</a>"),
		 BYTES(" Http://X.Y/Z t "),
		 NONE,
		 NONE},
		{BYTES("<a href='b'>"),
		 BYTES("<a href=\"b\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c\"d=\"e\">"),
		 BYTES("<a b=\"c\" d=\"e\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c\"/>"),
		 BYTES("<a b=\"c\" />"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<br / >"),
		 BYTES("<br />"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("</ br>"),
		 BYTES("</ br>"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("< /br>"),
		 BYTES("</br>"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a\nb\n=\nc\n>"),
		 BYTES("<a b=c>"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<\?xml version=\"1.0\"\?>x"),
		 BYTES("<\?xml version=\"1.0\" \?>x"),
		 BYTES(" x"),
		 NONE,
		 NONE},
		{BYTES("<>x"),
		 BYTES("<>x"),
		 BYTES(" x"),
		 NONE,
		 NONE},
		{BYTES("<"),
		 BYTES("<"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b = = c>"),
		 BYTES("<a b== c>"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b = 'c"),
		 BYTES("<a b=\"c"),
		 BYTES(" "),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void white_space_or_a_bracket_ends_quotes(void)
{
	static const struct vector v[] = {
		{BYTES("<a b=\"c > d\">e"),
		 BYTES("<a b=\"c >d\">e"),
		 BYTES(" d\">e"),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c d\"e>"),
		 BYTES("<a b=\"c d\"e>"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c d 'e'\">"),
		 BYTES("<a b=\"c d 'e'\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c>d\">x"),
		 BYTES("<a b=\"c>d\">x"),
		 BYTES(" x"),
		 NONE,
		 NONE},
		{BYTES("<a b=\"> c\">"),
		 BYTES("<a b=\">c\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=\"c>d>e\">"),
		 BYTES("<a b=\"c>d>e\">"),
		 BYTES(" e\">"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"x y z\">b"),
		 BYTES("<a href=\"x y z\">b"),
		 BYTES(" x  b"),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void addresses_are_in_notags(void)
{
	static const struct vector v[] = {
		{BYTES("<a href=\"Http://X/\">b"),
		 BYTES("<a href=\"http://x/\">b"),
		 BYTES(" Http://X/ b"),
		 NONE,
		 NONE},
		{BYTES("<img src=X>b"),
		 BYTES("<img src=x>b"),
		 BYTES(" X b"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"x\" href=\"y\">b"),
		 BYTES("<a href=\"x\" href=\"y\">b"),
		 BYTES(" x b"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"\">b"),
		 BYTES("<a href=\"\">b"),
		 BYTES(" b"),
		 NONE,
		 NONE},
		{BYTES("<a name=\"n\" href='x&amp;Y'>"),
		 BYTES("<a name=\"n\" href=\"x&y\">"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<area href=\"x\">b"),
		 BYTES("<area href=\"x\">b"),
		 BYTES(" b"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"abc&#256;\">b"),
		 BYTES("<a href=\"abc&#x0100;\">b"),
		 BYTES(" ab b"),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void named_entities(void)
{
	static const struct vector v[] = {
		{BYTES("a&lt;b&amp;c&quot;d&nbsp;e&Eacute;f&euro;g&foo;h"),
		 BYTES("a<b&c\"d\240e\311f&#x20ac;g&foo;h"),
		 BYTES("a b c d e f g h"),
		 NONE,
		 NONE},
		{BYTES("&AMP;&lt &ltfoo;&copy"),
		 BYTES("&amp;&lt &ltfoo;\251"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("a&b&c;d"),
		 BYTES("a&b&c;d"),
		 BYTES("a d"),
		 NONE,
		 NONE},
		{BYTES("a&lt<b>"),
		 BYTES("a&lt<b>"),
		 BYTES("a "),
		 NONE,
		 NONE},
		{BYTES("&lang;&thetasym;&Agr;"),
		 BYTES("&#x2329;&#x03d1;&#x0391;"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("a&"),
		 BYTES("a"),
		 BYTES("a "),
		 NONE,
		 NONE},
		{BYTES("a&lt"),
		 BYTES("a<"),
		 BYTES("a "),
		 NONE,
		 NONE},
		{BYTES("<a b=&lt;c>"),
		 BYTES("<a b=<c>"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a &lt; b>"),
		 BYTES("<a &lt; b>"),
		 BYTES(" "),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void numeric_entities(void)
{
	static const struct vector v[] = {
		{BYTES("&#65;&#x42;&#67 &#x44."),
		 BYTES("abC D."),
		 BYTES(" ."),
		 NONE,
		 NONE},
		{BYTES("&#0x41;&#xx42;&#1x43;"),
		 BYTES("ab\001x43;"),
		 BYTES(" x43;"),
		 NONE,
		 NONE},
		{BYTES("&#255;&#254;&#0;&#;&#x;"),
		 BYTES("&#x00ff;\376\000\000\000"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("&#65536;x&#65601;"),
		 BYTES("xA"),
		 BYTES(" x "),
		 NONE,
		 NONE},
		{BYTES("&#x3002;&#xff0e;&#xfe52;"),
		 BYTES("..."),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("&#99999999999;"),
		 BYTES("&#xe7ff;"),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=&#65\"c>d\"e>"),
		 BYTES("<a b=A\"c>d\"e>"),
		 BYTES(" "),
		 NONE,
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void scripts_and_styles_lose_their_white_space(void)
{
	static const struct vector v[] = {
		{BYTES("x<script>a < b && c > d</script> y"),
		 BYTES("x<script>a<b&&c>d</script>y"),
		 BYTES("x y"),
		 BYTES("<script>a<b&&c>d</script>"),
		 NONE},
		{BYTES("<script>a 'b' &lt; </script>c"),
		 BYTES("<script>a\"b\"<</script>c"),
		 BYTES(" c"),
		 BYTES("<script>a\"b\"&lt;</script>"),
		 NONE},
		{BYTES("<script>a</script >b"),
		 BYTES("<script>a</script>b"),
		 BYTES(" >b"),
		 BYTES("<script>a</script</script>"),
		 NONE},
		{BYTES("<script>a</scriptx>b</script>c"),
		 BYTES("<script>a</scriptx>b</script>c"),
		 BYTES(" c"),
		 BYTES("<script>a</scriptx>b</script>"),
		 NONE},
		{BYTES("<script>a<!-- &lt; </script> -->b</script>c"),
		 BYTES("<script>a<!--&lt;</script>-->b</script>c"),
		 BYTES(" c"),
		 BYTES("<script>a<!--&lt;</script>-->b</script>"),
		 NONE},
		{BYTES("<style>a { b : c } </style>d"),
		 BYTES("<style>a{b:c}</style>d"),
		 BYTES(" d"),
		 NONE,
		 NONE},
		{BYTES("<style>a</script>b"),
		 BYTES("<style>a</script>b"),
		 BYTES(" b"),
		 NONE,
		 NONE},
		{BYTES("<script/>a"),
		 BYTES("<script/>a"),
		 BYTES(" a"),
		 NONE,
		 NONE},
		{BYTES("<script>a</b&lt;</script>c</script>d"),
		 BYTES("<script>a</b&lt;</script>c</script>d"),
		 BYTES(" d"),
		 BYTES("<script>a</b&lt;</script>c</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void data_urls_are_messages(void)
{
	static const struct vector v[] = {
		{BYTES("<a href=\"data:Text/Html,a%41b\">c"),
		 BYTES("<a href=\"data\">c"),
		 BYTES(" c"),
		 NONE,
		 BYTES("From html-normalise\nContent-type: text/html\n\naAb")},
		{BYTES("<a href=\"data:x;base64,YWJj\">b"),
		 BYTES("<a href=\"data\">b"),
		 BYTES(" b"),
		 NONE,
		 BYTES("From html-normalise\nContent-type: x;base64\nContent-transfe"
		       "r-encoding: base64\n\nYWJj")},
		{BYTES("<img src='data:,a\"b c'>d"),
		 BYTES("<img src=\"data\">d"),
		 BYTES(" d"),
		 NONE,
		 BYTES("From html-normalise\nContent-type: \n\na\"b c")},
		{BYTES("<a href=data:x,a b=c>d"),
		 BYTES("<a href=datab=c>d"),
		 BYTES(" d"),
		 NONE,
		 BYTES("From html-normalise\nContent-type: x\n\na")},
		{BYTES("<a href=\"data:x y,a b\">c"),
		 BYTES("<a href=\"data\"b\">c"),
		 BYTES(" c"),
		 NONE,
		 BYTES("From html-normalise\nContent-type: x y\n\na")},
		{BYTES("<a href=\"data:x> y,a\">c"),
		 BYTES("<a href=\"data\"c"),
		 BYTES(" "),
		 NONE,
		 BYTES("From html-normalise\nContent-type: x>y\n\na\"")},
		{BYTES("<a href=\"data:x> y z=d>c"),
		 BYTES("<a href=\"data\" z=d>c"),
		 BYTES(" c"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"data:x,%zz%4\">c"),
		 BYTES("<a href=\"data\""),
		 BYTES(" "),
		 NONE,
		 BYTES("From html-normalise\nContent-type: x\n\n%0z@>c")},
		{BYTES("<a href=\"data:x"),
		 BYTES("<a href=\"data\""),
		 BYTES(" "),
		 NONE,
		 NONE},
		{BYTES("<a b=data:>c"),
		 BYTES("<a b=data>c"),
		 BYTES(" c"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"DATA:x,y\">z"),
		 BYTES("<a href=\"data:x,y\">z"),
		 BYTES(" DATA:x,y z"),
		 NONE,
		 NONE},
		{BYTES("<a href=\"data:x,a&lt;b\">c"),
		 BYTES("<a href=\"data\"<>c"),
		 BYTES(" c"),
		 NONE,
		 BYTES("From html-normalise\nContent-type: x\n\nab")},
	};

	check(v, ARRAY_LEN(v));
}

static void scripts_are_joined_and_lowered(void)
{
	static const struct vector v[] = {
		{BYTES("<script>Var A = \"b\"+'c' ; // d e\nf</script>"),
		 BYTES("<script>vara=\"b\"+\"c\";//def</script>"),
		 BYTES(" "),
		 BYTES("<script>var a=\"bc\";d e f</script>"),
		 NONE},
		{BYTES("<script>a</script>b<script>c</script>"),
		 BYTES("<script>a</script>b<script>c</script>"),
		 BYTES(" b "),
		 BYTES("<script>a</script>\n<script>c</script>"),
		 NONE},
		{BYTES("<script>/* x */a /b/ c</script>"),
		 BYTES("<script>/*x*/a/b/c</script>"),
		 BYTES(" "),
		 BYTES("<script>a/b/c</script>"),
		 NONE},
		{BYTES("<script></script>"),
		 BYTES("<script></script>"),
		 BYTES(" "),
		 BYTES("<script></script>"),
		 NONE},
		{BYTES("<script>a"),
		 BYTES("<script>a"),
		 BYTES(" "),
		 BYTES("<script></script>"),
		 NONE},
		{BYTES("<script>\"a</script>"),
		 BYTES("<script>\"a</script>"),
		 BYTES(" "),
		 BYTES("<script>\"a</script>\"</script>"),
		 NONE},
		{BYTES("<script>f((a;</script>"),
		 BYTES("<script>f((a;</script>"),
		 BYTES(" "),
		 BYTES("<script>f((a;</script>))</script>"),
		 NONE},
		{BYTES("<script>`a`#@b\\n</script>"),
		 BYTES("<script>`a`#@b\\n</script>"),
		 BYTES(" "),
		 BYTES("<script>a b n</script>"),
		 NONE},
		{BYTES("<script>a+ +b</script>"),
		 BYTES("<script>a++b</script>"),
		 BYTES(" "),
		 BYTES("<script>a++b</script>"),
		 NONE},
		{BYTES("<script>\"a\" + b + \"c\" + \"d\"</script>"),
		 BYTES("<script>\"a\"+b+\"c\"+\"d\"</script>"),
		 BYTES(" "),
		 BYTES("<script>\"a\"+b+\"cd\"</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void strings_are_decoded(void)
{
	static const struct vector v[] = {
		{BYTES("<script>\"\\x41\\u0042\\u20ac\\n\\q\\0\"</script>"),
		 BYTES("<script>\"\\x41\\u0042\\u20ac\\n\\q\\0\"</script>"),
		 BYTES(" "),
		 BYTES("<script>\"ab\342\202\254 q\001\"</script>"),
		 NONE},
		{BYTES("<script>\"\\xg1\\x4g\\u004g\\u12\"</script>"),
		 BYTES("<script>\"\\xg1\\x4g\\u004g\\u12\"</script>"),
		 BYTES(" "),
		 BYTES("<script>\"\001\377\357\277\277\\12\"</script>"),
		 NONE},
		{BYTES("<script>\"\\x00a\\\nb\"</script>"),
		 BYTES("<script>\"\\x00a\\b\"</script>"),
		 BYTES(" "),
		 BYTES("<script>\"\001a b\"</script>"),
		 NONE},
		{BYTES("<script>unescape(\"%41%u0042%zz\")</script>"),
		 BYTES("<script>unescape(\"%41%u0042%zz\")</script>"),
		 BYTES(" "),
		 BYTES("<script>\"ab%zz\"</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void numbers_are_decimal(void)
{
	static const struct vector v[] = {
		{BYTES("<script>010 0x1F 1.50 1e5 1.5e3 5. .5</script>"),
		 BYTES("<script>0100x1f1.501e51.5e35..5</script>"),
		 BYTES(" "),
		 BYTES("<script>10 0 x1f 1.5 1 e5 1500 5.5</script>"),
		 NONE},
		{BYTES("<script>1000000000000 99999999999999999999 123456789.5</script>"),
		 BYTES("<script>100000000000099999999999999999999123456789.5</script>"),
		 BYTES(" "),
		 BYTES("<script>-727379968 -1 1.23457e+08</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void declared_names_are_numbered(void)
{
	static const struct vector v[] = {
		{BYTES("<script>var a=1,b;function f(x,y){var z;return x+z+w}a.b(f)</script>"),
		 BYTES("<script>vara=1,b;functionf(x,y){varz;returnx+z+w}a.b(f)</script>"),
		 BYTES(" "),
		 BYTES("<script>var n000=1,n001;function n002(n003,n004){var n005;re"
		       "turn n003+n005+w}n000.b(f)</script>"),
		 NONE},
		{BYTES("<script>var a;var a;a;function f(){var q,r;r}</script>"),
		 BYTES("<script>vara;vara;a;functionf(){varq,r;r}</script>"),
		 BYTES(" "),
		 BYTES("<script>var n001;var n001;n001;function n002(){var n003,r;r}</script>"),
		 NONE},
		{BYTES("<script>var a=f(x,y),b=[c,d];y;d</script>"),
		 BYTES("<script>vara=f(x,y),b=[c,d];y;d</script>"),
		 BYTES(" "),
		 BYTES("<script>var n000=f(x,n001),n002=[c,d];n001;d</script>"),
		 NONE},
		{BYTES("<script>f(a);function f(a){a}</script>"),
		 BYTES("<script>f(a);functionf(a){a}</script>"),
		 BYTES(" "),
		 BYTES("<script>f(a);function n000(n001){n001}</script>"),
		 NONE},
		{BYTES("<script>if(a)var if1,b;{var c,d;d}</script>"),
		 BYTES("<script>if(a)varif1,b;{varc,d;d}</script>"),
		 BYTES(" "),
		 BYTES("<script>if(a)var n000,n001;{var n002,d;d}</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void packed_scripts_are_unpacked(void)
{
	static const struct vector v[] = {
		{BYTES("<script>eval(function(p,a,c,k,e,d){return p}(\"0.1(\\\"2 Z\\\""
		       ");\",62,4,\"x|y|w\".split(\"|\"),0,{}))</script>"),
		 BYTES("<script>eval(function(p,a,c,k,e,d){returnp}(\"0.1(\\\"2z\\\""
		       ");\",62,4,\"x|y|w\".split(\"|\"),0,{}))</script>"),
		 BYTES(" "),
		 BYTES("<script>eval(function(n000,n001,n002,n003,n004,n005){return "
		       "n000}(x.y(\"w z\");))</script>"),
		 NONE},
		{BYTES("<script>function(p,a,c,k,e,r){}(\"a b;10\",36,0,\"|\".split(\"|\"))</script>"),
		 BYTES("<script>function(p,a,c,k,e,r){}(\"ab;10\",36,0,\"|\".split(\"|\"))</script>"),
		 BYTES(" "),
		 BYTES("<script>function(n000,n001,n002,n003,n004,n005){}(\"a b;10\""
		       ",36,0,\"|\".split(\"|\"))</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

static void eval_of_a_string_is_carried_out(void)
{
	static const struct vector v[] = {
		{BYTES("<script>eval(\"a;\");b</script>"),
		 BYTES("<script>eval(\"a;\");b</script>"),
		 BYTES(" "),
		 BYTES("<script>a;b</script>"),
		 NONE},
		{BYTES("<script>eval(unescape(\"%61%3b\"))</script>"),
		 BYTES("<script>eval(unescape(\"%61%3b\"))</script>"),
		 BYTES(" "),
		 BYTES("<script>a;</script>"),
		 NONE},
		{BYTES("<script>x.eval(\"a;\")</script>"),
		 BYTES("<script>x.eval(\"a;\")</script>"),
		 BYTES(" "),
		 BYTES("<script>x.eval(\"a;\")</script>"),
		 NONE},
		{BYTES("<script>eval(\"a\"+b)</script>"),
		 BYTES("<script>eval(\"a\"+b)</script>"),
		 BYTES(" "),
		 BYTES("<script>eval(\"a\"+b)</script>"),
		 NONE},
		{BYTES("<script>function f(a){eval(\"var x;a;\")}x</script>"),
		 BYTES("<script>functionf(a){eval(\"varx;a;\")}x</script>"),
		 BYTES(" "),
		 BYTES("<script>function n000(n001){var n002;n001;}n002</script>"),
		 NONE},
		{BYTES("<script>eval(\"\");eval(\"b;\");eval(\"c;\")</script>"),
		 BYTES("<script>eval(\"\");eval(\"b;\");eval(\"c;\")</script>"),
		 BYTES(" "),
		 BYTES("<script>eval(\"b;\");c;</script>"),
		 NONE},
	};

	check(v, ARRAY_LEN(v));
}

/* n times `text`, then `end`: views of exactly these lengths. */
static void lengths(const char *text, size_t n, const char *end, size_t nocomment, size_t notags)
{
	struct buf b = {0};
	struct html_views out;

	for (size_t i = 0; i < n; i++)
		buf_add(&b, text, strlen(text));
	buf_add(&b, end, strlen(end));
	T_EQ(normal_html(rd_make(b.data, b.len), &all, &out, NULL), ST_OK);
	T_EQ(out.nocomment.len, nocomment);
	T_EQ(out.notags.len, notags);
	html_views_done(&out);
	buf_done(&b);
}

static void white_space_that_begins_a_piece_is_lost(void)
{
	lengths("x", 8190, " y", 8192, 8192);
	lengths("x", 8191, " y", 8192, 8192);
	lengths("x", 8192, " y", 8194, 8194);
	lengths("x", 16382, " y", 16383, 16383);
}

static void long_names_and_values_are_not_cut_in_nocomment(void)
{
	lengths("&", 1, "", 0, 1);
	lengths("c", 3000, "<a href=x>", 3010, 3001);
}

static void scripts_are_left_alone_on_request(void)
{
	static const char in[] = "<script>a</script>b";
	static const struct html_opts none;
	struct html_views out;

	T_EQ(normal_html(rd_make(in, sizeof in - 1), &none, &out, NULL), ST_OK);
	T_TRUE(!out.has_script && out.javascript.len == 0 && out.nocomment.len == sizeof in - 1);
	html_views_done(&out);
}

/* Each unit once made something grow with the square of its number, or might. */
static void hostile_repetition_ends_soon(void)
{
	static const char *const units[] = {
		"<", "&", "&#", "<a b=\"", "\\", "<script>", "</script>", "function a(b){", "var a,",
		"eval(\"", "unescape(\"", "\"+\"", "<a b=data:,", "\xe9", " ", "(", "{", "a ", "'", "/*",
	};
	static const char *const starts[] = {"", "<script>", "<a b=\"", "<script>\""};

	for (size_t i = 0; i < ARRAY_LEN(units) * ARRAY_LEN(starts); i++) {
		const char *unit = units[i % ARRAY_LEN(units)];
		struct buf b = {0};
		struct html_views out;

		buf_add(&b, starts[i / ARRAY_LEN(units)], strlen(starts[i / ARRAY_LEN(units)]));
		while (b.len < 200000)
			buf_add(&b, unit, strlen(unit));
		T_EQ(normal_html(rd_make(b.data, b.len), &all, &out, NULL), ST_OK);
		T_TRUE(out.nocomment.len + out.notags.len + out.javascript.len <=
		       HTML_VIEWS_FACTOR * b.len);
		html_views_done(&out);
		buf_done(&b);
	}
}

int main(void)
{
	T_RUN(text_is_lower_case_with_white_space_folded);
	T_RUN(nul_and_carriage_return_are_dropped);
	T_RUN(control_bytes_are_blanks_in_notags_only);
	T_RUN(wide_bytes_are_shown_in_threes);
	T_RUN(a_comment_ends_at_the_first_bracket);
	T_RUN(tags_are_written_anew);
	T_RUN(white_space_or_a_bracket_ends_quotes);
	T_RUN(addresses_are_in_notags);
	T_RUN(named_entities);
	T_RUN(numeric_entities);
	T_RUN(scripts_and_styles_lose_their_white_space);
	T_RUN(data_urls_are_messages);
	T_RUN(scripts_are_joined_and_lowered);
	T_RUN(strings_are_decoded);
	T_RUN(numbers_are_decimal);
	T_RUN(declared_names_are_numbered);
	T_RUN(packed_scripts_are_unpacked);
	T_RUN(eval_of_a_string_is_carried_out);
	T_RUN(white_space_that_begins_a_piece_is_lost);
	T_RUN(long_names_and_values_are_not_cut_in_nocomment);
	T_RUN(scripts_are_left_alone_on_request);
	T_RUN(hostile_repetition_ends_soon);
	return t_end();
}
