using System.IO.Pipelines;
using System.Net.Sockets;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How does a connection of two pipes end, whether or not its other side is still there?</summary>
internal static class DuplexPipes
{
    public static async Task CloseAsync(this IDuplexPipe pipe)
    {
        await pipe.Input.CompleteAsync().ConfigureAwait(false);
        try
        {
            await pipe.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            // Completing a writer over TLS sends what is left; the node may be gone, which the reading side has said.
        }

        if (pipe is IAsyncDisposable asyncDisposable) await asyncDisposable.DisposeAsync().ConfigureAwait(false);
        else (pipe as IDisposable)?.Dispose();
    }
}
