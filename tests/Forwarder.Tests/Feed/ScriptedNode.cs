using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>A node in memory for what a real Redis will not do on demand: silence, garbage, old versions, lost messages. Answers each command at once.</summary>
internal sealed class ScriptedNode : IRedisTransport
{
    private readonly Lock _gate = new();
    private readonly List<string> _commands = [];
    private readonly List<PipeWriter> _toFeed = [];
    private readonly List<int> _open = [];
    private volatile TaskCompletionSource? _held;

    /// <summary>What to answer to a command instead of the usual; null: the usual; empty: nothing.</summary>
    public Func<string[], string?> Answer { get; set; } = _ => null;

    /// <summary>What its run id consists of.</summary>
    public char Run { get; set; } = 'a';

    /// <summary>It says that it is a node of a cluster.</summary>
    public bool IsCluster { get; init; }

    /// <summary>What HELLO says that it is; also Valkey says an older Redis' version in INFO.</summary>
    public (string Product, string Version) Server { get; set; } = ("redis", "7.0.0");

    /// <summary>The letters that CONFIG SET takes; what it refuses is refused in <see cref="Refusal"/>'s words.</summary>
    public string Letters { get; init; } = "Ag$lshzxeKEtmdn";

    /// <summary>What CONFIG SET answers to other letters: {0} stands for those that it takes.</summary>
    public string Refusal { get; init; } = "-ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use '{0}'.\r\n";

    /// <summary>notify-keyspace-events.</summary>
    public string Flags { get; set; } = "AKE";

    /// <summary>Refuses connections while set.</summary>
    public bool IsDown { get; set; }

    public int Connects { get; private set; }

    /// <summary>The connections that the feed has not closed, by their numbers from 1.</summary>
    public IReadOnlyList<int> Open
    {
        get
        {
            lock (_gate) return [.. _open];
        }
    }

    /// <summary>Whether what comes on this connection is answered at all.</summary>
    public Func<int, bool> IsDeaf { get; set; } = _ => false;

    public IReadOnlyList<string> Commands
    {
        get
        {
            lock (_gate) return [.. _commands];
        }
    }

    public ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken)
    {
        var toFeed = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var toNode = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        int number;
        lock (_gate)
        {
            number = ++Connects;
            _toFeed.Add(toFeed.Writer);
            if (!IsDown) _open.Add(number);
        }

        if (IsDown) throw new SocketException((int)SocketError.ConnectionRefused);

        _ = Task.Run(() => ServeAsync(toNode.Reader, number), CancellationToken.None);
        return ValueTask.FromResult<IDuplexPipe>(new Ends(toFeed.Reader, toNode.Writer, () => Closed(number)));
    }

    /// <summary>Answers nothing until it is released, and then what is to be answered at that time.</summary>
    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release()
    {
        _held?.SetResult();
        _held = null;
    }

    /// <summary>Bytes into the feed's stream, as they are.</summary>
    /// <param name="on">The number of the connection; null: the last one.</param>
    public Task SayAsync(string text, int? on = null)
    {
        lock (_gate)
        {
            var toFeed = _toFeed[(on ?? Connects) - 1];
            toFeed.Write(Encoding.Latin1.GetBytes(text));
            return toFeed.FlushAsync().AsTask();
        }
    }

    public Task EventAsync(string key, string pattern = "__keyevent@*__:*", int? on = null) =>
        SayAsync(EventFrame("set", key, pattern), on);

    /// <summary>An event, as a node with the letter T says it behind the same one without fields.</summary>
    /// <param name="list">As the server lists fields.</param>
    public static string FieldsFrame(string name, string key, string list) =>
        $">4\r\n$8\r\npmessage\r\n{Bulk("__subkeyevent@*__:*")}{Bulk($"__subkeyevent@0__:{name}")}{Bulk($"{key.Length}:{key}|{list}")}";

    public static string EventFrame(string name, string key, string pattern = "__keyevent@*__:*", int database = 0) =>
        $">4\r\n$8\r\npmessage\r\n{Bulk(pattern)}{Bulk($"__keyevent@{database}__:{name}")}{Bulk(key)}";

    /// <param name="on">As in <see cref="SayAsync"/>.</param>
    public Task CloseAsync(int? on = null) => _toFeed[(on ?? Connects) - 1].CompleteAsync().AsTask();

    private void Closed(int number)
    {
        lock (_gate) _open.Remove(number);
    }

    private async Task ServeAsync(PipeReader input, int number)
    {
        await using var stream = input.AsStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        while (await reader.ReadLineAsync() is { } header)
        {
            var arguments = new string[int.Parse(header[1..], System.Globalization.CultureInfo.InvariantCulture)];
            for (var i = 0; i < arguments.Length; i++)
            {
                await reader.ReadLineAsync();
                arguments[i] = (await reader.ReadLineAsync())!;
            }

            lock (_gate) _commands.Add(string.Join(' ', arguments));
            if (_held is { } held) await held.Task;
            var answer = IsDeaf(number) ? "" : Answer(arguments) ?? Usual(arguments);
            if (answer.Length > 0) await SayAsync(answer, number);
        }
    }

    private string Usual(string[] command) => command[0] switch
    {
        "HELLO" => $"%3\r\n{Bulk("server")}{Bulk(Server.Product)}{Bulk("version")}{Bulk(Server.Version)}{Bulk("mode")}{Bulk(IsCluster ? "cluster" : "standalone")}",
        "INFO" when Server.Product == "valkey" => Bulk($"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:{Server.Version}\r\nrun_id:{new string(Run, 40)}\r\n"),
        "INFO" => Bulk($"# Server\r\nredis_version:{Server.Version}\r\nrun_id:{new string(Run, 40)}\r\n"),
        "ROLE" => "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n",
        "CONFIG" when command[1] == "GET" => $"%1\r\n{Bulk("notify-keyspace-events")}{Bulk(Flags)}",
        "CONFIG" when command[3].All(letter => Letters.Contains(letter, StringComparison.Ordinal)) => (Flags = command[3], "+OK\r\n").Item2,
        "CONFIG" => Refusal.Replace("{0}", Letters, StringComparison.Ordinal),
        "SUBSCRIBE" or "SSUBSCRIBE" or "PSUBSCRIBE" or "PUNSUBSCRIBE" or "UNSUBSCRIBE" or "SUNSUBSCRIBE" => $">3\r\n{Bulk(command[0].ToLowerInvariant())}{Bulk(command[1])}:1\r\n",
        "PUBLISH" => $">3\r\n$7\r\nmessage\r\n{Bulk(command[1])}{Bulk(command[2])}:1\r\n",
        "SPUBLISH" => $">3\r\n$8\r\nsmessage\r\n{Bulk(command[1])}{Bulk(command[2])}:1\r\n",
        "PING" when command.Length > 1 => Bulk(command[1]),
        "PING" => "+PONG\r\n",
        _ => "+OK\r\n",
    };

    public static string Bulk(string text) => $"${text.Length}\r\n{text}\r\n";

    private sealed record Ends(PipeReader Input, PipeWriter Output, Action Closed) : IDuplexPipe, IDisposable
    {
        public void Dispose() => Closed();
    }
}
