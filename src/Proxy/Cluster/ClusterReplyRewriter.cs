using System.Buffers;
using System.Globalization;
using System.Text;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// What does a CLUSTER reply say with the proxy's addresses in place of the nodes'? Nodes are recognised by their ids. For a node that has no port here,
/// everything stays as it is. What is not an address is copied byte by byte, so that fields and kinds of newer servers pass. Reads RESP2 and RESP3. The shapes
/// are those of https://redis.io/docs/latest/commands/cluster-slots/, cluster-shards and cluster-nodes.
/// </summary>
internal ref struct ClusterReplyRewriter
{
    private readonly PortMap _plan;
    private readonly string _host;
    private readonly ReadOnlySpan<byte> _frame;
    private readonly ArrayBufferWriter<byte> _output;
    private RespReplyReader _reader;

    /// <summary>How many bytes of the frame are already written or replaced.</summary>
    private int _done;
    private string? _unknown;

    private ClusterReplyRewriter(ReadOnlySpan<byte> frame, PortMap plan, string host)
    {
        _frame = frame;
        (_plan, _host) = (plan, host);
        _output = new ArrayBufferWriter<byte>(frame.Length + 64);
        _reader = new RespReplyReader(frame);
    }

    /// <param name="unknown">The id of a node that should have a port here and has none; null if there is no such node.</param>
    /// <exception cref="RespProtocolException">The reply does not have the shape that belongs to the question.</exception>
    public static ReadOnlyMemory<byte> Rewrite(ClusterQuestion question, ReadOnlySpan<byte> frame, PortMap plan, string host, out string? unknown)
    {
        var rewriting = new ClusterReplyRewriter(frame, plan, host);
        switch (question)
        {
            case ClusterQuestion.Slots:
                rewriting.Slots();
                break;
            case ClusterQuestion.Shards:
                rewriting.Shards();
                break;
            case ClusterQuestion.Nodes:
                rewriting.Lines();
                break;
            default:
                for (var count = rewriting._reader.ReadArrayHeader(); count > 0; count--) rewriting.Lines();
                break;
        }

        rewriting.CopyTo(frame.Length);
        unknown = rewriting._unknown;
        return rewriting._output.WrittenMemory;
    }

    /// <summary><c>[first, last, [host, port, id, metadata]...]...</c></summary>
    private void Slots()
    {
        for (var ranges = _reader.ReadArrayHeader(); ranges > 0; ranges--)
        {
            var nodes = _reader.ReadArrayHeader() - 2;
            _reader.ReadInteger();
            _reader.ReadInteger();
            for (; nodes > 0; nodes--) SlotsNode();
        }
    }

    private void SlotsNode()
    {
        var fields = _reader.ReadArrayHeader();
        var hostAt = _reader.Consumed;
        _reader.Skip();
        var portAt = _reader.Consumed;
        var hasPort = _reader.ReadInteger() > 0;
        var idAt = _reader.Consumed;
        var id = _reader.ReadBulk();
        var listenPort = hasPort ? Find(id) : null;
        if (listenPort is { } port)
        {
            Replace(hostAt, portAt, _host);
            Replace(portAt, idAt, port);
        }

        if (fields > 3) Metadata(isKnown: listenPort is not null);
        for (; fields > 4; fields--) _reader.Skip();
    }

    /// <summary>The node's address in other forms: <c>hostname</c>, <c>ip</c>. A map; in RESP2 an array with twice as many elements.</summary>
    private void Metadata(bool isKnown)
    {
        for (var pairs = _reader.ReadMapHeader(); pairs > 0; pairs--)
        {
            _reader.ReadBulk();
            var at = _reader.Consumed;
            var isEmpty = !_reader.TryReadBulk(out var value) || value.IsEmpty;
            if (isKnown && !isEmpty) Replace(at, _reader.Consumed, _host);
        }
    }

    /// <summary><c>[{slots: [...], nodes: [{id, port, ip, endpoint, ...}...]}...]</c></summary>
    private void Shards()
    {
        for (var shards = _reader.ReadArrayHeader(); shards > 0; shards--)
        {
            for (var fields = _reader.ReadMapHeader(); fields > 0; fields--)
            {
                var isNodes = _reader.ReadBulk().SequenceEqual("nodes"u8);
                if (!isNodes)
                {
                    _reader.Skip();
                }
                else
                {
                    for (var nodes = _reader.ReadArrayHeader(); nodes > 0; nodes--) ShardsNode();
                }
            }
        }
    }

    private void ShardsNode()
    {
        // Reads the same bytes twice: the id is needed first, wherever it stands among the fields.
        var ahead = _reader;
        ReadOnlySpan<byte> id = default;
        var isHealthy = true;
        for (var fields = ahead.ReadMapHeader(); fields > 0; fields--)
        {
            var field = ahead.ReadBulk();
            if (field.SequenceEqual("id"u8)) id = ahead.ReadBulk();
            else if (field.SequenceEqual("health"u8)) isHealthy = !ahead.ReadBulk().SequenceEqual("fail"u8);
            else ahead.Skip();
        }

        var listenPort = isHealthy ? Find(id) : _plan.PortOf(id);
        for (var fields = _reader.ReadMapHeader(); fields > 0; fields--)
        {
            var field = _reader.ReadBulk();
            var at = _reader.Consumed;
            var isPort = field.SequenceEqual("port"u8) || field.SequenceEqual("tls-port"u8);
            var isHost = field.SequenceEqual("ip"u8) || field.SequenceEqual("endpoint"u8) || field.SequenceEqual("hostname"u8);
            _reader.Skip();
            if (listenPort is { } port && isPort) Replace(at, _reader.Consumed, port);
            else if (listenPort is not null && isHost) Replace(at, _reader.Consumed, _host);
        }
    }

    /// <summary>A text of lines as of CLUSTER NODES: a bulk string, or in RESP3 a verbatim string.</summary>
    private void Lines()
    {
        var at = _reader.Consumed;
        var isVerbatim = _reader.Kind == RespKind.Verbatim;
        var text = new ArrayBufferWriter<byte>();
        if (isVerbatim) text.Write("txt:"u8);
        var rest = _reader.ReadBulk();
        while (!rest.IsEmpty)
        {
            var length = rest.IndexOf((byte)'\n') + 1;
            if (length == 0) length = rest.Length;
            Line(rest[..length], text);
            rest = rest[length..];
        }

        CopyTo(at);
        if (!isVerbatim)
        {
            RespWriter.Bulk(_output, text.WrittenSpan);
        }
        else
        {
            _output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"={text.WrittenCount}\r\n")));
            _output.Write(text.WrittenSpan);
            _output.Write("\r\n"u8);
        }

        _done = _reader.Consumed;
    }

    /// <summary><c>id host:port@bus[,hostname[,more]] flags ...</c></summary>
    private void Line(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> output)
    {
        var idEnd = line.IndexOf((byte)' ');
        var address = idEnd < 0 ? default : line[(idEnd + 1)..];
        var addressEnd = address.IndexOf((byte)' ');
        var bus = addressEnd < 0 ? -1 : address[..addressEnd].IndexOf((byte)'@');
        var flags = addressEnd < 0 ? default : address[(addressEnd + 1)..];
        flags = flags[..Math.Max(0, flags.IndexOf((byte)' '))];
        var isReachable = flags.IndexOf("fail"u8) < 0 && flags.IndexOf("noaddr"u8) < 0 && flags.IndexOf("handshake"u8) < 0;
        var listenPort = bus < 0 ? null : isReachable ? Find(line[..idEnd]) : _plan.PortOf(line[..idEnd]);
        if (listenPort is not { } port)
        {
            output.Write(line);
            return;
        }

        output.Write(line[..(idEnd + 1)]);
        output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_host}:{port}")));
        var names = address[bus..addressEnd];
        var comma = names.IndexOf((byte)',');
        var hostname = comma < 0 ? default : names[(comma + 1)..];
        var more = hostname.IndexOf((byte)',');
        if (more >= 0) hostname = hostname[..more];
        if (hostname.IsEmpty)
        {
            output.Write(names);
        }
        else
        {
            output.Write(names[..(comma + 1)]);
            output.Write(Encoding.UTF8.GetBytes(_host));
            output.Write(names[(comma + 1 + hostname.Length)..]);
        }

        output.Write(address[addressEnd..]);
        output.Write(line[(idEnd + 1 + address.Length)..]);
    }

    private int? Find(ReadOnlySpan<byte> id)
    {
        var port = _plan.PortOf(id);
        if (port is null) _unknown ??= Encoding.ASCII.GetString(id);
        return port;
    }

    private void Replace(int from, int to, string text)
    {
        CopyTo(from);
        RespWriter.Bulk(_output, text);
        _done = to;
    }

    private void Replace(int from, int to, int number)
    {
        CopyTo(from);
        RespWriter.Integer(_output, number);
        _done = to;
    }

    private void CopyTo(int position)
    {
        _output.Write(_frame[_done..position]);
        _done = position;
    }
}
