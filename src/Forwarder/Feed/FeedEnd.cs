using System.Net.Sockets;
using System.Security.Authentication;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Feed;

/// <summary>How did a connection end? The first reason wins, whichever of its loops has it.</summary>
/// <param name="address">Of the node.</param>
/// <param name="hasAnswered">Whether the node has sent anything.</param>
internal sealed class FeedEnd(RedisAddress address, TlsFiles tls, Func<bool> hasAnswered)
{
    private readonly TaskCompletionSource<RedisFault> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Faults only by what is a fault of the program.</summary>
    public Task<RedisFault> Reached => _end.Task;

    public void Set(RedisFault fault) => _end.TrySetResult(fault);

    /// <summary>Runs a loop to its end and says how it ended, unless another one has said so already.</summary>
    public async Task GuardAsync(Func<Task> loop)
    {
        try
        {
            await loop().ConfigureAwait(false);
            Set(new RedisFault(RedisFaultKind.Closed, hasAnswered()
                ? "the server closed the connection (restart, CLIENT KILL, an ACL change, or its client-output-buffer-limit)"
                : PlainFault.Explain("the server closed the connection", address, hasAnswered: false)));
        }
        catch (RedisFaultException e)
        {
            Set(e.Fault);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException)
        {
            Set(new RedisFault(RedisFaultKind.Closed, $"the connection broke: {BreakOf(e)}"));
        }
        catch (Exception e)
        {
            _end.TrySetException(e);
        }
    }

    /// <summary>With TLS 1.3 the node judges the client certificate after the handshake: its refusal is the first thing that is read.</summary>
    private string BreakOf(Exception error) =>
        (address.IsTls ? HandshakeFault.Describe(error, tls) : null) ?? PlainFault.Explain(CleanText.Server(error.Message), address, hasAnswered());
}
