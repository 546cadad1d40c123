using System.Net.Sockets;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// A connection to a master says nothing: does the master answer others? If not, it is busy or frozen, and the connection is kept, since everything it will
/// send comes there. The master is asked by PING over a connection of its own; any answer counts, also an error. Many sessions ask at once, so only one
/// question for each master is under way at a time, and all get its answer. Thread safe.
/// </summary>
internal sealed class MasterWitness(ITransport transport, TimeSpan deadline, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>The question that was asked last of each master. Guarded by the gate.</summary>
    private readonly Dictionary<TransportAddress, Task<bool>> _underWay = [];

    /// <returns>Whether the master has answered within the deadline. The task never faults.</returns>
    public Task<bool> AnswersAsync(TransportAddress master)
    {
        lock (_gate)
        {
            if (_underWay.TryGetValue(master, out var asked) && !asked.IsCompleted) return asked;
            return _underWay[master] = Task.Run(() => AskAsync(master));
        }
    }

    private async Task<bool> AskAsync(TransportAddress master)
    {
        using var end = new CancellationTokenSource(deadline, time);
        try
        {
            await using var connection = await transport.ConnectAsync(master, end.Token).ConfigureAwait(false);
            await using var aborting = end.Token.Register(connection.Abort).ConfigureAwait(false);
            RespWriter.WriteCommand(connection.Output, "PING"u8);
            if (!await connection.Output.TryFlushAsync().ConfigureAwait(false)) return false;
            var read = await connection.Input.ReadAsync().ConfigureAwait(false);
            return !read.Buffer.IsEmpty;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or InvalidOperationException)
        {
            return false;
        }
    }
}
