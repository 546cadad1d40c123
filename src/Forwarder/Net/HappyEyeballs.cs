using System.Net;
using System.Net.Sockets;

namespace KeyEvt.Forwarder.Net;

/// <summary>
/// Which of the addresses of a name is connected to? The first that answers, as RFC 8305 ("happy eyeballs") says: they are tried one after the other, IPv6 and IPv4 in turn. A try begins when
/// the one before has failed, or has said nothing for 250 ms. So an address that swallows connects costs that much, and not the whole time that there is.
/// </summary>
/// <param name="resolve">The addresses of a name, the best one first.</param>
public sealed class HappyEyeballs(Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time)
{
    /// <summary>Section 5 of the RFC: "Connection Attempt Delay".</summary>
    private static readonly TimeSpan Head = TimeSpan.FromMilliseconds(250);

    /// <summary>The system resolves the names.</summary>
    public static HappyEyeballs By(TimeProvider time) => new(Dns.GetHostAddressesAsync, time);

    /// <param name="connect">One try. It ends soon after it was cancelled.</param>
    /// <param name="close">For a connection that came about though another one was first.</param>
    /// <exception cref="SocketException">The name has no address; or all tries have failed: that of one that was refused, else that of the best address.</exception>
    public async Task<T> ConnectAsync<T>(string name, int port, Func<IPEndPoint, CancellationToken, Task<T>> connect, Func<T, ValueTask> close, CancellationToken cancellationToken)
    {
        var places = InTurn(await resolve(name, cancellationToken).ConfigureAwait(false)).Select(address => new IPEndPoint(address, port)).ToList();
        if (places.Count == 0) throw new SocketException((int)SocketError.HostNotFound);
        if (places.Count == 1) return await connect(places[0], cancellationToken).ConfigureAwait(false);

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<T>>();
        try
        {
            return await RunAsync(places, running, connect, over.Token).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            foreach (var loser in running) await EndAsync(loser, close).ConfigureAwait(false);
        }
    }

    /// <summary>The same for plain sockets; an IP address is connected to as it is.</summary>
    public async Task<Socket> OpenAsync(string host, int port, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var ip)) return await OpenAsync(new IPEndPoint(ip, port), cancellationToken).ConfigureAwait(false);
        return await ConnectAsync(
            host, port, OpenAsync,
            static socket =>
            {
                socket.Dispose();
                return ValueTask.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A unix socket has one place: nothing to race for.</summary>
    public static Task<Socket> OpenUnixAsync(string path, CancellationToken cancellationToken) =>
        OpenAsync(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path), cancellationToken);

    /// <param name="running">Left there: what has not ended when one has won.</param>
    private async Task<T> RunAsync<T>(List<IPEndPoint> places, List<Task<T>> running, Func<IPEndPoint, CancellationToken, Task<T>> connect, CancellationToken over)
    {
        var begun = new List<Task<T>>();
        while (true)
        {
            over.ThrowIfCancellationRequested();
            var place = begun.Count < places.Count ? places[begun.Count] : null;
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(over);
            var head = Task.Delay(begun.Count + 1 < places.Count ? Head : Timeout.InfiniteTimeSpan, time, waiting.Token);
            if (place is not null)
            {
                begun.Add(connect(place, over));
                running.Add(begun[^1]);
            }

            await Task.WhenAny([head, .. running]).ConfigureAwait(false);
            await waiting.CancelAsync().ConfigureAwait(false);
            while (running.Find(task => task.IsCompleted) is { } ended)
            {
                running.Remove(ended);
                if (ended.IsCompletedSuccessfully) return await ended.ConfigureAwait(false);
                await ((Task)ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the next one may have better luck
            }

            if (running.Count == 0 && begun.Count == places.Count) return await (begun.Find(IsRefused) ?? begun[0]).ConfigureAwait(false);
        }
    }

    /// <summary>Somebody has answered, which tells more than that nobody did.</summary>
    private static bool IsRefused(Task ended) => ended.Exception?.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused };

    private static async ValueTask EndAsync<T>(Task<T> loser, Func<T, ValueTask> close)
    {
        try
        {
            await close(await loser.ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // as it was to be
        }
    }

    private static Task<Socket> OpenAsync(IPEndPoint place, CancellationToken cancellationToken) =>
        OpenAsync(new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, place, cancellationToken);

    private static async Task<Socket> OpenAsync(Socket socket, EndPoint place, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(place, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Section 4: the resolver's order, but the two families take turns.</summary>
    private static IEnumerable<IPAddress> InTurn(IPAddress[] found)
    {
        var families = found.Distinct().GroupBy(address => address.AddressFamily).Select(family => family.ToList()).ToList(); // the first one's family comes first
        for (var i = 0; families.Exists(family => i < family.Count); i++)
        {
            foreach (var family in families.Where(family => i < family.Count)) yield return family[i];
        }
    }
}
