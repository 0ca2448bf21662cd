/** What a browser gets: a list of what was said, and a form to say something. */
export const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>chat</title>
  <ul id="said"></ul>
  <form>
    <input name="from" placeholder="name" required maxlength="20" />
    <input name="text" placeholder="say something" required maxlength="500" autofocus />
    <button>say</button>
  </form>
  <script>
    const form = document.querySelector('form');
    const list = document.querySelector('#said');
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/chat');
    const show = text => list.append(Object.assign(document.createElement('li'), { textContent: text }));
    socket.onmessage = ({ data }) => {
      const { from, text } = JSON.parse(data);
      show(from + ': ' + text);
    };
    socket.onclose = ({ code }) => show('* disconnected (' + code + ')');
    form.onsubmit = event => {
      event.preventDefault();
      socket.send(JSON.stringify(Object.fromEntries(new FormData(form))));
      form.elements.text.value = '';
    };
  </script>
</html>
`;
