using System.Net.Sockets;

namespace KeyEvt.Servers.Oracle;

/// <summary>How does a writer write into a cluster? Each key to the node that serves its slot; one that is sent on by an error is refused, and the next write is a new key.</summary>
/// <param name="slots">Asked again whenever a node is gone or sends the writer elsewhere.</param>
internal sealed class ClusterWriting(WriterBook book, Func<int, byte[]> command, Func<int, string> key, Action<string> refused, Func<Task<IReadOnlyList<ClusterLine>>> slots) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Dictionary<int, RespClient> _clients = [];
    private readonly int[] _ports = new int[ClusterSlot.Count];
    private bool _isOld = true;

    public async Task WriteAsync(int first, int count)
    {
        if (_isOld) await LearnAsync().ConfigureAwait(false);
        await Task.WhenAll(Enumerable.Range(first, count).GroupBy(number => _ports[ClusterSlot.Of(key(number))]).Select(group => WriteAsync(group.Key, [.. group]))).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values) await client.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAsync(int port, int[] numbers)
    {
        RespClient? client = null;
        try
        {
            lock (_clients) _clients.TryGetValue(port, out client);
            if (client is null)
            {
                client = await RespClient.ConnectAsync(port).ConfigureAwait(false);
                lock (_clients) _clients[port] = client;
            }

            await client.SendAsync(numbers.SelectMany(command).ToArray(), Patience).ConfigureAwait(false);
            foreach (var number in numbers)
            {
                var reply = await client.ReadReplyAsync(Patience).ConfigureAwait(false);
                book.Answered(number, !reply.IsError);
                if (!reply.IsError) continue;
                refused(reply.Text.Split(' ')[0]);
                _isOld = true;
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or TimeoutException)
        {
            _isOld = true;
            lock (_clients) _clients.Remove(port);
            if (client is not null) await client.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task LearnAsync()
    {
        foreach (var line in (await slots().ConfigureAwait(false)).Where(line => line.IsMaster && !line.IsFailing))
        {
            foreach (var (from, to) in line.Slots) Array.Fill(_ports, line.Port, from, to - from + 1);
        }

        _isOld = false;
    }
}
