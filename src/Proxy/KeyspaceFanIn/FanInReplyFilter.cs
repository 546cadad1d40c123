using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// Which of the own node's messages are left out? If that node is a replica, its messages for merged names are, since its master is heard instead. Such a
/// message is a push in RESP3, and an array in RESP2, where a subscribed client gets no other replies. Of each frame no more is held than is needed to tell.
/// All other bytes go through <see cref="RedirectFilter"/>. Used by the session's reply pump only.
/// </summary>
internal sealed class FanInReplyFilter(RedirectFilter redirect, FanInStream stream) : IReplyFilter
{
    private readonly ArrayBufferWriter<byte> _head = new(128);

    /// <summary>The next bytes belong to a message that is left out.</summary>
    private bool _isLeavingOut;
    private RespReplyFramer _leftOut;

    public bool MayPass(in ReadOnlySequence<byte> replies) => !_isLeavingOut && _head.WrittenCount == 0 && !stream.LeavesOwnOut && redirect.MayPass(replies);

    public async ValueTask WriteAsync(ReadOnlySequence<byte> replies, PipeWriter client)
    {
        while (!replies.IsEmpty)
        {
            if (_isLeavingOut)
            {
                replies = replies.Slice(LeaveOut(replies.FirstSpan));
                continue;
            }

            if (_head.WrittenCount > 0 || (stream.LeavesOwnOut && redirect.ToBoundary(default) == 0))
            {
                replies = replies.Slice(Hold(replies.FirstSpan, out var verdict));
                if (verdict == MessageHead.IsMerged) LeaveOutHead();
                else if (verdict == MessageHead.IsOther) await WriteHeadAsync(client).ConfigureAwait(false);
                continue;
            }

            var length = stream.LeavesOwnOut ? redirect.ToBoundary(replies) : -1;
            if (length < 0) length = replies.Length;
            await redirect.WriteAsync(replies.Slice(0, length), client).ConfigureAwait(false);
            replies = replies.Slice(length);
        }
    }

    public void WriteHeld(PipeWriter client)
    {
        client.TryWrite(_head.WrittenSpan.ToArray());
        redirect.WriteHeld(client);
    }

    /// <summary>Bytes that are held or left out have not gone to the client, so only the <see cref="RedirectFilter"/> counts.</summary>
    public long ToBoundary(in ReadOnlySequence<byte> replies) => redirect.ToBoundary(replies);

    /// <summary>Takes as many bytes as are needed to tell what the frame is, or all of them. Returns how many.</summary>
    private int Hold(ReadOnlySpan<byte> bytes, out int verdict)
    {
        for (var taken = 0; ;)
        {
            verdict = MessageHead.Judge(_head.WrittenSpan, stream);
            if (verdict <= 0 || taken == bytes.Length) return taken;
            var more = Math.Min(verdict - _head.WrittenCount, bytes.Length - taken);
            _head.Write(bytes.Slice(taken, more));
            taken += more;
        }
    }

    private void LeaveOutHead()
    {
        _leftOut = default;
        _leftOut.TryAdvance(_head.WrittenSpan, out _); // the payload has not come yet
        _head.ResetWrittenCount();
        _isLeavingOut = true;
    }

    private async ValueTask WriteHeadAsync(PipeWriter client)
    {
        var head = _head.WrittenSpan.ToArray();
        _head.ResetWrittenCount();
        await redirect.WriteAsync(new ReadOnlySequence<byte>(head), client).ConfigureAwait(false);
    }

    private int LeaveOut(ReadOnlySpan<byte> bytes)
    {
        _isLeavingOut = !_leftOut.TryAdvance(bytes, out var consumed);
        return consumed;
    }
}
