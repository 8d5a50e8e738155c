#!/bin/sh
# Installs the real peers that the tests talk to, where apt is there and allowed; says what is missing elsewhere.
set -u
wanted="mosquitto:mosquitto mosquitto_pub:mosquitto-clients nginx:nginx-light lighttpd:lighttpd ffmpeg:ffmpeg chromium:chromium gst-launch-1.0:gstreamer1.0-tools"
packages=""
for pair in $wanted; do
  PATH="$PATH:/usr/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair##*:}"
done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages="$packages postgresql"
/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' >/dev/null 2>&1 || packages="$packages \
gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-rtsp gstreamer1.0-tools"
ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || packages="$packages fonts-noto-cjk"
ls /usr/share/fonts/truetype/wqy/wqy-zenhei.ttc >/dev/null 2>&1 || packages="$packages fonts-wqy-zenhei"
# pysparkplug wants an older paho than ours, so it lives in a folder of its own (tests/peers/sparkplug_node.py).
sparkplug=.make/peers/sparkplug
if [ ! -d "$sparkplug/pysparkplug" ] && [ -x .venv/bin/python ]; then
  .venv/bin/python -m pip --disable-pip-version-check -q install --no-deps --target "$sparkplug" \
    pysparkplug==0.6.1 paho-mqtt==1.6.1 2>/dev/null || echo "tests that need pysparkplug will be skipped"
fi
[ -z "$packages" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing test peers:$packages"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages >/dev/null
else
  echo "tests that need these Debian packages will be skipped:$packages"
fi
exit 0
