// What does Twilio's own calculator count? Reads a JSON list of texts, writes a list of [encoding, segments].
//
//     npm install sms-segments-calculator@1.3.0
//     NODE_PATH=node_modules node tests/peers/sms_segments.js < texts.json
//
// It counts UCS-2 by what a reader sees as one letter and keeps such letters whole; short messages know nothing of that, so a text whose
// letters are joined from several is left to the other calculators.
const { SegmentedMessage } = require("sms-segments-calculator");

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => {
  const counted = JSON.parse(text).map((one) => {
    const message = new SegmentedMessage(one, "auto", false);
    return [message.encodingName, message.segmentsCount];
  });
  process.stdout.write(JSON.stringify(counted));
});
