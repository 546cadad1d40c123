using System.IO.Pipelines;
using System.Net.Sockets;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How is a connection of two pipes closed, whether or not the other side is still there?</summary>
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
            // Completing a writer over TLS sends what is left. The node may be gone, which the reader has already reported.
        }

        if (pipe is IAsyncDisposable asyncDisposable) await asyncDisposable.DisposeAsync().ConfigureAwait(false);
        else (pipe as IDisposable)?.Dispose();
    }
}
