using System.Net.Sockets;
using System.Security.Authentication;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Why did a connection end? The first reason counts, whichever of its loops reports it.</summary>
/// <param name="address">The node's address.</param>
/// <param name="hasAnswered">Whether the node has sent anything.</param>
internal sealed class FeedEnd(RedisAddress address, TlsFileNames tls, Func<bool> hasAnswered)
{
    private readonly TaskCompletionSource<RedisFault> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the reason. Faults only because of a bug.</summary>
    public Task<RedisFault> Reached => _end.Task;

    public void Set(RedisFault fault) => _end.TrySetResult(fault);

    /// <summary>Runs a loop and reports how it ended, unless another loop has reported a reason before.</summary>
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

    /// <summary>
    /// The text for a broken connection. With TLS 1.3 the node checks the client certificate after the handshake, so its refusal shows at the first read.
    /// </summary>
    private string BreakOf(Exception error) =>
        (address.IsTls ? HandshakeFault.Describe(error, tls) : null) ?? PlainFault.Explain(CleanText.Server(error.Message), address, hasAnswered());
}
