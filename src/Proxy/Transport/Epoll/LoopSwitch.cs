using System.Runtime.CompilerServices;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>When awaited: the code behind it runs on the loop's thread. False: the loop has ended.</summary>
internal readonly struct LoopSwitch(EpollLoop loop) : ICriticalNotifyCompletion
{
    public bool IsCompleted => loop.IsCurrent;

    public LoopSwitch GetAwaiter() => this;

    public bool GetResult() => loop.IsCurrent;

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        if (!loop.TryPost(static state => ((Action)state)(), continuation))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
        }
    }
}
