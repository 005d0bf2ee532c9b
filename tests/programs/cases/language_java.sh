# OpenJDK: javac, and its program on the JVM's compilers: faults that are null checks, stack overflow, code that is thrown away when a class
# comes, collectors beside threads.
# program-test: slow root=languages modes=overlay timeout=900
cat >Faults.java <<'JAVA'
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class Faults {
    static class Node { Node next; int value; int[] data; Node(Node n, int v) { next = n; value = v; } }
    interface Shape { double area(); }
    record Square(double a) implements Shape { public double area() { return a * a; } }
    record Circle(double r) implements Shape { public double area() { return 3 * r * r; } }
    record Late(double r) implements Shape { public double area() { return r; } }

    static int walk(Node n, int steps) {
        int sum = 0;
        for (int i = 0; i < steps; i++) { sum += n.value; n = n.next; }
        return sum;
    }

    static int nulls(int rounds) {
        int caught = 0, sum = 0;
        Node list = null;
        for (int i = 0; i < 20; i++) list = new Node(list, i);
        for (int i = 0; i < rounds; i++) {
            try { sum += walk(list, i % 100 == 0 ? 21 : 20); } catch (NullPointerException e) { caught++; }
        }
        return caught * 31 + sum;
    }

    static int many(int rounds) {  // so often that the compiler makes it explicit
        int caught = 0;
        Node[] nodes = {new Node(null, 1), null};
        for (int i = 0; i < rounds; i++) {
            try { caught += nodes[i & 1].value; } catch (NullPointerException e) { caught += 2; }
        }
        return caught;
    }

    static int depth;
    static void deep() { depth++; deep(); }

    static int other(int rounds) {
        int a = 0, b = 0, c = 0;
        int[] array = new int[10];
        Object o = "text";
        for (int i = 0; i < rounds; i++) {
            try { array[i % 11]++; } catch (ArrayIndexOutOfBoundsException e) { a++; }
            try { array[0] = 7 / (i % 5); } catch (ArithmeticException e) { b++; }
            try { if (i % 7 == 0) array[1] = (Integer) o; } catch (ClassCastException e) { c++; }
        }
        return a * 1000000 + b * 1000 + c;
    }

    static double shapes(Shape[] s, int rounds) {
        double sum = 0;
        for (int i = 0; i < rounds; i++) sum += s[i % s.length].area();
        return sum;
    }

    static long mix(int n) {
        long x = 88172645463325252L;
        for (int i = 0; i < n; i++) { x ^= x << 13; x ^= x >>> 7; x ^= x << 17; }
        return x;
    }

    static double matrix(int n) {
        double[][] a = new double[n][n], b = new double[n][n], c = new double[n][n];
        for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) { a[i][j] = i + j; b[i][j] = i - j; }
        for (int i = 0; i < n; i++) for (int k = 0; k < n; k++) for (int j = 0; j < n; j++) c[i][j] += a[i][k] * b[k][j];
        return c[n / 2][n / 3];
    }

    static int strings(int n) {
        Map<String, Integer> map = new HashMap<>();
        for (int i = 0; i < n; i++) map.merge("key" + (i * 7919 % 1009), 1, Integer::sum);
        StringBuilder sb = new StringBuilder();
        for (String k : new TreeSet<>(map.keySet())) sb.append(k).append('=').append(map.get(k)).append(';');
        return sb.toString().hashCode();
    }

    static long garbage(int threads, int rounds) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<Long>> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int seed = t;
            all.add(pool.submit(() -> {
                long sum = 0;
                Node[] kept = new Node[1000];
                for (int i = 0; i < rounds; i++) {
                    Node n = new Node(kept[(i * 7 + seed) % 1000], i);
                    if (i % 64 == 0) n.next = null;
                    n.data = new int[i % 50];
                    kept[i % 1000] = n;
                    sum += n.data.length + (n.next == null ? 0 : n.next.value);
                }
                return sum;
            }));
        }
        long sum = 0;
        for (Future<Long> f : all) sum += f.get();
        pool.shutdown();
        return sum;
    }

    public static void main(String[] args) throws Exception {
        String[] names = {"nulls", "many", "other", "stack", "shapes", "mix", "matrix", "strings", "garbage", "threads", "virtual"};
        for (String name : names) {
            Object result;
            switch (name) {
            case "nulls": result = nulls(20000) + " " + nulls(200000); break;
            case "many": result = many(300000); break;
            case "other": result = other(20000) + " " + other(200000); break;
            case "stack":
                int caught = 0;
                for (int i = 0; i < 5; i++) { depth = 0; try { deep(); } catch (StackOverflowError e) { caught++; if (depth < 1000) caught += 100; } }
                result = caught;
                break;
            case "shapes":
                Shape[] s = {new Square(2), new Circle(1)};
                double d = shapes(s, 300000);
                Shape[] s3 = {new Square(2), new Circle(1), new Late(5)};
                result = d + " " + shapes(s3, 300000);
                break;
            case "mix": result = mix(100000000); break;
            case "matrix": result = matrix(300); break;
            case "strings": result = strings(500000); break;
            case "garbage": result = garbage(4, 500000); break;
            case "threads": {
                AtomicLong n = new AtomicLong();
                Thread[] ts = new Thread[8];
                Object lock = new Object();
                int[] plain = new int[1];
                for (int i = 0; i < 8; i++) {
                    ts[i] = new Thread(() -> { for (int j = 0; j < 50000; j++) { n.incrementAndGet(); synchronized (lock) { plain[0]++; } } });
                    ts[i].start();
                }
                for (Thread t : ts) t.join();
                result = n + " " + plain[0];
                break;
            }
            default: {
                AtomicLong n = new AtomicLong();
                try (var e = Executors.newVirtualThreadPerTaskExecutor()) {
                    for (int i = 0; i < 2000; i++) { int k = i; e.submit(() -> { Thread.sleep(1); n.addAndGet(k); return 0; }); }
                }
                result = n;
            }
            }
            System.out.println(name + " " + result);
        }
    }
}
JAVA
javac Faults.java && java Faults
for collector in Serial Z; do java -XX:+Use${collector}GC Faults | md5sum; done
