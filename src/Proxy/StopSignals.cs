using System.Runtime.InteropServices;

namespace KeyEvt.Proxy;

/// <summary>Has the system or the user asked the program to stop? SIGTERM, SIGINT, SIGQUIT; a second one ends it at once, as it would any program.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource<string> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    public StopSignals()
    {
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, Take));
        }
    }

    /// <summary>Ends with the name of the first signal.</summary>
    public Task<string> Requested => _requested.Task;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void Take(PosixSignalContext context) => context.Cancel = _requested.TrySetResult(context.Signal.ToString());
}
