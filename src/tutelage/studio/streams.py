"""Answers that reach a page whenever they come.

Gradio answers into one stream for each page, and closes it when the page waits for nothing. What somebody asks for
while that news is under way is lost: the browser's side takes the stream for open still, and waits for ever. So a
script stands between the two. A stream that is closed on somebody who waits it opens anew, and Gradio sees one that was
never closed; and whoever asks while Gradio has yet to read that its stream is closed is answered only then.
"""

from typing import Final

RELAYED: Final = r"""
(() => {
  const ask = window.fetch.bind(window), awaited = new Set(), letters = new TextEncoder(), LONGEST = 1000;
  let closed = Promise.resolve();
  const pass = (message, to, signal) => {
    const said = JSON.parse(message.slice(message.indexOf('{')));
    if (said.msg === 'process_completed') awaited.delete(said.event_id);
    if (said.msg === 'unexpected_error') awaited.clear();
    if (said.msg === 'close_stream') {
      if (awaited.size) return true;
      closed = new Promise((done) => { signal.addEventListener('abort', done); setTimeout(done, LONGEST); });
    }
    to.enqueue(letters.encode(message + '\n\n'));
    return false;
  };
  const relay = async (stream, to, signal) => {
    const parts = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '', again = false;
    for (;;) {
      const {value, done} = await parts.read();
      if (done) return again;
      const messages = (rest + value).split('\n\n');
      rest = messages.pop();
      for (const message of messages) again = pass(message, to, signal);
    }
  };
  const answers = async (request) => {
    let answer = await ask(request.clone());
    if (!answer.ok) return answer;
    const all = async (to) => {
      while (await relay(answer.body, to, request.signal)) answer = await ask(request.clone());
      to.close();
    };
    const start = (to) => { all(to).catch((error) => to.error(error)); };
    return new Response(new ReadableStream({start}), {headers: answer.headers});
  };
  window.fetch = async (what, how) => {
    const request = new Request(what, how), path = new URL(request.url).pathname;
    if (path.endsWith('/queue/data')) return answers(request);
    const answer = await ask(request);
    if (!path.endsWith('/queue/join') || !answer.ok) return answer;
    awaited.add((await answer.clone().json()).event_id);
    await closed;
    return answer;
  };
})();
"""
"""For the head of the page: it must be there before Gradio asks for anything."""
