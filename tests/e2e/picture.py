"""Takes the picture of an order's trace on Zipkin's page. Usage: picture.py URL-OF-THE-SERVER BROWSER-IN BROWSER-OUT FILE

The pipes are those of a Chromium with `--remote-debugging-pipe`: JSON that ends with a zero byte, by the DevTools protocol.
"""

import base64
import json
import sys
import urllib.parse
import urllib.request

SERVER, TO, FROM, FILE = sys.argv[1:]

# In pixels of the page, and how many of the picture's each of them takes: the less there are, the better it reads in a README.
WIDTH, HEIGHT, SCALE = 1100, 570, 1.1

# Waits for the page, which fetches the trace itself, and brings the business tags of the selected span into sight.
SHOW_TAGS = """
(async () => {
    const leaf = text => [...document.querySelectorAll("*")].find(e => !e.childElementCount && e.textContent === text);
    while (!leaf("order.amount")) await new Promise(next => setTimeout(next, 50));
    await document.fonts.ready;
    leaf("http.response.status_code").scrollIntoView();
})()
"""


class Browser:
    def __init__(self):
        self.requests = open(TO, "wb", buffering=0)
        self.answers = open(FROM, "rb", buffering=0)
        self.last = 0

    def call(self, method, session=None, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        self.requests.write(json.dumps(request).encode() + b"\0")
        while (answer := self.read()).get("id") != self.last:
            pass  # an event
        if "error" in answer:
            sys.exit(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def read(self):
        message = b""
        while not message.endswith(b"\0"):
            message += self.answers.read(1)
        return json.loads(message[:-1])


def order():
    """The id of an accepted order's trace: the one with a coupon."""
    query = {"serviceName": "shop", "annotationQuery": "http.response.status_code=201 and order.coupon=SPRING"}
    with urllib.request.urlopen(f"{SERVER}/api/v2/traces?{urllib.parse.urlencode(query)}", timeout=5) as response:
        return json.load(response)[0][0]["traceId"]


browser = Browser()
target = browser.call("Target.createTarget", url="about:blank")["targetId"]
page = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": SCALE, "mobile": False}
browser.call("Emulation.setDeviceMetricsOverride", page, **metrics)
browser.call("Page.navigate", page, url=f"{SERVER}/zipkin/traces/{order()}")
browser.call("Runtime.evaluate", page, expression=SHOW_TAGS, awaitPromise=True)
picture = browser.call("Page.captureScreenshot", page)["data"]
browser.call("Browser.close")
with open(FILE, "wb") as file:
    file.write(base64.b64decode(picture))
