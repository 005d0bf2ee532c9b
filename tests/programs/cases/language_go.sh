# Go: the compiler itself, and its program: nil pointers and bad addresses recovered from, stacks that grow while the collector runs, loops that
# only a signal ends, channels.
# program-test: slow root=languages modes=overlay timeout=1800
export GOCACHE=$PWD/cache GOPATH=$PWD/go GOFLAGS=-p=1
cat >faults.go <<'GO'
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type node struct {
	next  *node
	value int
	pad   [40]int
}

//go:noinline
func sum(list *node, steps int) (total int) {
	for i := 0; i < steps; i++ {
		total += list.value
		list = list.next
	}
	return
}

// A list that is one shorter than the walk: the last step reads through nil.
func recovered(length int) (text string) {
	defer func() {
		err := recover().(runtime.Error)
		text = err.Error()
	}()
	var list *node
	for i := 0; i < length; i++ {
		list = &node{next: list, value: i}
	}
	return fmt.Sprint(sum(list, length+1))
}

func index(a []int, i int) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	return fmt.Sprint(a[i])
}

func divide(a, b int) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	return fmt.Sprint(a / b)
}

func badAddress() (text string) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { text = fmt.Sprint(recover()) }()
	m, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err.Error()
	}
	m[5] = 1
	return "written"
}

//go:noinline
func deep(n int) int {
	var a [64]int
	a[n%64] = n
	if n == 0 {
		return 0
	}
	return deep(n-1) + a[n%64] - n + 1
}

func main() {
	count := map[string]int{}
	for i := 0; i < 3000; i++ {
		count[recovered(i%50)]++
	}
	fmt.Println(count)
	fmt.Println(index([]int{1, 2}, 7), "|", divide(1, 0), "|", badAddress())

	// stacks grow, in many goroutines, while the collector runs
	var wg sync.WaitGroup
	var total, panics int64
	for g := 0; g < 32; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 20; i++ {
				atomic.AddInt64(&total, int64(deep(1000+g)))
				if recovered(g) == "runtime error: invalid memory address or nil pointer dereference" {
					atomic.AddInt64(&panics, 1)
				}
				runtime.Gosched()
			}
		}(g)
	}
	for i := 0; i < 20; i++ {
		runtime.GC()
	}
	wg.Wait()
	fmt.Println(total, panics)

	// loops without calls are preempted by signals
	runtime.GOMAXPROCS(1)
	go func() {
		for x := uint64(1); ; x = x*6364136223846793005 + 1442695040888963407 {
		}
	}()
	for i := 0; i < 20; i++ {
		time.Sleep(time.Millisecond)
		runtime.GC()
	}
	fmt.Println("preempted")
	runtime.GOMAXPROCS(4)

	// channels and GC
	c := make(chan *node, 8)
	for g := 0; g < 4; g++ {
		go func(g int) {
			for i := 0; i < 50000; i++ {
				c <- &node{value: i * g}
			}
			c <- nil
		}(g)
	}
	left, s := 4, 0
	for left > 0 {
		if n := <-c; n != nil {
			s += n.value
		} else {
			left--
		}
	}
	fmt.Println(s)
	sig := make(chan os.Signal, 100)
	signal.Notify(sig, syscall.SIGUSR1)
	for i := 0; i < 50; i++ {
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		<-sig
	}
	fmt.Println("signals")
	if len(os.Args) > 1 {
		var n *node
		fmt.Println(n.pad[3])
	}
}
GO
go build -o faults faults.go && ./faults
./faults nil 2>err; echo "status $?"; head -2 err | sed 's/addr=.*//'
