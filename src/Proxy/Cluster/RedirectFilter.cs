using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using KeyEvt.Resp.Replies;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// Changes redirections so that the client reaches the other node through the proxy. Replies are framed, but not counted: a redirection is an error line that
/// is a whole reply of its own. What looks like a redirection inside a value, or as an element of an array, is somebody's data. Redis redirects a transaction
/// before it runs: as the reply to EXEC or to a command that would be queued, never inside the array that EXEC returns.
/// <para>
/// Once the stream is not RESP (after SYNC or PSYNC), all further bytes are copied as they come.
/// </para>
/// Used by the session's reply pump only.
/// </summary>
internal sealed class RedirectFilter(NodeNames names, ILogger logger) : IReplyFilter
{
    private readonly ArrayBufferWriter<byte> _held = new(Redirection.MaxBytes);
    private RespReplyFramer _framer;
    private bool _isNoResp;

    public bool MayPass(in ReadOnlySequence<byte> replies)
    {
        if (_isNoResp) return true;
        if (_held.WrittenCount > 0) return false;
        var framer = _framer;
        try
        {
            foreach (var memory in replies)
            {
                var span = memory.Span;
                while (!span.IsEmpty)
                {
                    if (framer.AtBoundary && Redirection.MayBe(span)) return false;
                    framer.TryAdvance(span, out var consumed);
                    span = span[consumed..];
                }
            }
        }
        catch (RespProtocolException e)
        {
            GiveUp(e);
            return true;
        }

        _framer = framer;
        return true;
    }

    public async ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client)
    {
        foreach (var segment in replies)
        {
            for (var rest = segment; !rest.IsEmpty;)
            {
                if (!_isNoResp && _framer.AtBoundary && (_held.WrittenCount > 0 || Redirection.MayBe(rest.Span)))
                {
                    rest = rest[Hold(rest.Span)..];
                    if (_held.WrittenSpan[^1] == '\n') await WriteLineAsync(client).ConfigureAwait(false);
                    else if (!Redirection.MayBe(_held.WrittenSpan) || _held.WrittenCount > Redirection.MaxBytes) WriteHeld(client);
                }
                else
                {
                    var length = Frame(rest.Span);
                    client.TryWrite(rest[..length]); // if the client takes no more bytes, the next flush says so
                    rest = rest[length..];
                }
            }
        }
    }

    public void WriteHeld(PipeWriter client)
    {
        for (var rest = _held.WrittenSpan; !rest.IsEmpty;) rest = rest[Frame(rest)..];
        client.TryWrite(_held.WrittenSpan.ToArray());
        _held.ResetWrittenCount();
    }

    public long ToBoundary(in ReadOnlySequence<byte> replies)
    {
        if (_isNoResp) return -1;
        var framer = _framer;
        if (framer.AtBoundary && _held.WrittenCount == 0) return 0;
        long length = 0;
        try
        {
            framer.TryAdvance(_held.WrittenSpan, out _); // the held bytes are the beginning of an error line, never a whole one
            foreach (var memory in replies)
            {
                var ended = framer.TryAdvance(memory.Span, out var consumed);
                length += consumed;
                if (ended) return length;
            }
        }
        catch (RespProtocolException)
        {
            // reported when these bytes are written
        }

        return -1;
    }

    /// <summary>Holds the next bytes of the line, at most up to its end. Returns how many.</summary>
    private int Hold(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.IndexOf((byte)'\n') + 1;
        if (length == 0) length = bytes.Length;
        length = Math.Min(length, Redirection.MaxBytes + 1 - Math.Min(Redirection.MaxBytes, _held.WrittenCount));
        _held.Write(bytes[..length]);
        return length;
    }

    /// <summary>Called when a whole line is held: writes it, with the proxy's address if it is a redirection.</summary>
    private async ValueTask WriteLineAsync(PipeWriter client)
    {
        if (!Redirection.TryParse(_held.WrittenSpan, out var redirection) || await FindAsync(redirection, client).ConfigureAwait(false) is not { } port)
        {
            WriteHeld(client);
            return;
        }

        client.TryWrite(redirection.To(names.Host, port));
        _held.ResetWrittenCount(); // what was held is a whole frame, so the framer is still at a boundary
    }

    /// <summary>The port that leads to the node; null: there is none, and none came in time.</summary>
    private async ValueTask<int?> FindAsync(Redirection redirection, PipeWriter client)
    {
        if (PortOf(redirection) is { } port) return port;
        await client.TryFlushAsync().ConfigureAwait(false); // so that what came before does not wait too
        if (await names.Translator.AwaitAsync(_ => PortOf(redirection) is not null, $"a redirection to {redirection.Host}:{redirection.Port}", CancellationToken.None).ConfigureAwait(false))
        {
            return PortOf(redirection);
        }

        names.Translator.WarnOfUnknown(redirection.Host, redirection.Port);
        return null;
    }

    /// <summary>
    /// The port for a redirection. Its host is <c>?</c> for a node without a name where names are preferred. It is empty where clients are to use the host that
    /// they are connected to already.
    /// </summary>
    private int? PortOf(Redirection redirection) => redirection.Host is "" or "?"
        ? names.Translator.Ports.PortWithoutHost(redirection.Port, redirection.Slot, names.Upstream.Host, names.Upstream.Port)
        : names.Translator.Ports.PortOf(redirection.Host, redirection.Port);

    /// <summary>Frames bytes up to the end of the frame, or all of them. Returns how many.</summary>
    private int Frame(ReadOnlySpan<byte> bytes)
    {
        if (_isNoResp) return bytes.Length;
        try
        {
            _framer.TryAdvance(bytes, out var consumed);
            return consumed;
        }
        catch (RespProtocolException e)
        {
            GiveUp(e);
            return bytes.Length;
        }
    }

    private void GiveUp(RespProtocolException e)
    {
        _isNoResp = true;
        ClusterLog.NotFramed(logger, e.Message);
    }
}
