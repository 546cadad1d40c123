using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeyEvt.Proxy.Tests.Check;

/// <summary>
/// A Redis that answers as told, for states that a real one does not take on demand. Answers are chosen by the beginning of the command, the longest
/// beginning first; an unknown command is answered as Redis 7 does.
/// </summary>
internal sealed class ScriptedRedis : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Dictionary<string, string> _answers = new(StringComparer.OrdinalIgnoreCase)
    {
        ["PING"] = "+PONG\r\n",
        ["AUTH"] = "+OK\r\n",
        ["HELLO"] = "*6\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n",
        ["ACL GETUSER"] = "*2\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n",
        ["ACL DRYRUN"] = Bulk("User default has no permissions to access the '__keyevent@0__:expired' channel"),
        ["ROLE"] = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n",
        ["CONFIG GET"] = "*2\r\n$22\r\nnotify-keyspace-events\r\n$3\r\nxeE\r\n",
        ["CONFIG SET"] = "-ERR Unknown option or number of arguments for CONFIG SET - 'keyevt-check'\r\n",
        ["EVAL"] = "*2\r\n:3\r\n$0\r\n\r\n",
        ["GET"] = "$-1\r\n",
        ["SET"] = "-ERR syntax error\r\n",
        ["INFO"] = Bulk("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n"),
        ["PUBLISH"] = ":0\r\n",
        ["PSUBSCRIBE"] = "*3\r\n$10\r\npsubscribe\r\n$1\r\np\r\n:1\r\n",
        ["PUNSUBSCRIBE"] = "*3\r\n$12\r\npunsubscribe\r\n$1\r\np\r\n:1\r\n",
        ["UNSUBSCRIBE"] = "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:1\r\n",
        ["SUBSCRIBE"] = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
    };

    private Task _serving = Task.CompletedTask;
    private TcpClient? _client;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public List<string> Commands { get; } = [];

    public static string Bulk(string text) => $"${text.Length}\r\n{text}\r\n";

    public ScriptedRedis Answer(string beginning, string answer)
    {
        _answers[beginning] = answer;
        return this;
    }

    public ScriptedRedis Start()
    {
        _listener.Start();
        _serving = ServeAsync();
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _client?.Dispose();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync()
    {
        using var client = _client = await _listener.AcceptTcpClientAsync();
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        while (await reader.ReadLineAsync() is { } header)
        {
            var words = new List<string>();
            for (var count = int.Parse(header[1..], null); words.Count < count;)
            {
                var body = new char[int.Parse((await reader.ReadLineAsync())![1..], null) + 2];
                await reader.ReadBlockAsync(body);
                words.Add(new string(body, 0, body.Length - 2));
            }
            var command = string.Join(' ', words);
            Commands.Add(command);
            var known = _answers.Keys.Where(key => command.StartsWith(key, StringComparison.OrdinalIgnoreCase)).MaxBy(key => key.Length);
            var answer = known is not null ? _answers[known] : $"-ERR unknown command '{words[0]}', with args beginning with: \r\n";
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(answer));
        }
    }
}
